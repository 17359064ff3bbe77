"""What every reader of labelled photographs gives: trustworthy examples, and what was wrong on the way."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import DatasetError
from detector.values import Boxes, Ids, LabelMap

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A picture and the objects on it.

    path           the picture file; `detector.pictures.read_picture` gives it upright
    height, width  pixels of the upright picture
    boxes          (n, 4) float32  x1, y1, x2, y2: edges, pixels of the upright picture; inside it, not empty
    class_ids      (n,)   int32    index into the dataset's LabelMap
    difficult      (n,)   bool     hard to see: VOC's evaluation neither rewards nor punishes finding it
    truncated      (n,)   bool     reaches beyond the picture
    crowd          (n,)   bool     a region of many objects that were not marked one by one (COCO)
    areas          (n,)   float32  square pixels; of the outline where the labels give it, else of the box
    """

    path: Path
    height: int
    width: int
    boxes: Boxes
    class_ids: Ids
    difficult: Flags
    truncated: Flags
    crowd: Flags
    areas: NDArray[np.float32]

    def __post_init__(self) -> None:
        n = len(self.class_ids)
        _check("boxes", self.boxes, (n, 4), np.float32)
        _check("class_ids", self.class_ids, (n,), np.int32)
        for name in ("difficult", "truncated", "crowd"):
            _check(name, getattr(self, name), (n,), np.bool_)
        _check("areas", self.areas, (n,), np.float32)

    def __len__(self) -> int:
        return len(self.class_ids)


def _check(name: str, array: NDArray[Any], shape: tuple[int, ...], dtype: type) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"{name} must be {shape} {np.dtype(dtype)}, not {array.shape} {array.dtype}")
    array.flags.writeable = False


# Training refuses these; every other kind is a warning.
ERRORS = (
    *("missing picture", "unreadable picture", "missing label", "unreadable label", "unknown class"),
    "no pictures",
)


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong in a dataset: where, what, and what to do about it.

    kind           a few words, the same for the same mistake: "point-sized", "missing picture"
    file           the label file, or the picture when the labels are not to blame
    object_number  which object of the file, counted from 1; None when it is about the whole file
    sentence       what is wrong and what to do
    picture        the picture concerned
    left_out       the object (or the picture) is not among the examples
    """

    kind: str
    file: Path
    object_number: int | None
    sentence: str
    picture: Path
    left_out: bool = True

    @property
    def is_error(self) -> bool:
        return self.kind in ERRORS

    def __str__(self) -> str:
        number = f", object {self.object_number}" if self.object_number is not None else ""
        # One file for all pictures does not tell which picture it is about.
        picture = f" ({self.picture.name})" if self.picture.stem != self.file.stem else ""
        return f"{self.file.name}{number}{picture}: {self.sentence}"


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Labelled photographs of one folder, or of one split of it.

    format  name of the reader: "voc", "coco", "yolo", "csv"
    split   "train", "val", "test" or as the folder names it; None: all of it
    flaws   what was wrong; the objects and pictures concerned are left out where it says so
    """

    folder: Path
    format: str
    split: str | None
    labels: LabelMap
    examples: tuple[Example, ...]
    flaws: tuple[Flaw, ...] = ()

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def errors(self) -> tuple[Flaw, ...]:
        return tuple(flaw for flaw in self.flaws if flaw.is_error)

    @property
    def warnings(self) -> tuple[Flaw, ...]:
        return tuple(flaw for flaw in self.flaws if not flaw.is_error)

    def refuse_errors(self) -> None:
        """raises  DatasetError that names the first thing that makes the dataset unfit for use"""
        if errors := self.errors:
            more = f" ({len(errors) - 1} more like this: 'dataset check' lists them)" if errors[1:] else ""
            raise DatasetError(f"{errors[0]}{more}")
        if not self.examples:
            split = f" in the split '{self.split}'" if self.split else ""
            raise DatasetError(f"{self.folder}: no labelled picture was found{split}.")

    def left_out(self) -> str:
        """One line on what training and evaluation leave out; empty when that is nothing."""
        return summarise([flaw for flaw in self.warnings if flaw.left_out])


def summarise(flaws: Sequence[Flaw]) -> str:
    """Counts by kind: "2 point-sized, 1 reversed"."""
    return ", ".join(f"{count} {kind}" for kind, count in Counter(flaw.kind for flaw in flaws).most_common())
