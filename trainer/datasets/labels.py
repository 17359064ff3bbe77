"""Labels as a file states them: what a reader of one format hands on, not yet trusted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from detector.values import LabelMap
from trainer.datasets.example import Example, Flaw


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectLabel:
    """One object.

    number  counted from 1 in its file
    box     x1, y1, x2, y2: edges, pixels of the picture as it was labelled; or shares of it (PictureLabels)
    stated  the same as the file says it, for messages
    area    of the outline, square pixels; None: not stated
    """

    number: int
    name: str
    box: tuple[float, float, float, float]
    stated: str
    difficult: bool = False
    truncated: bool = False
    crowd: bool = False
    area: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLabels:
    """All objects of one picture.

    picture     the picture file; it may not exist
    file        the label file
    size        height and width the labels state; None: not stated
    normalized  boxes are shares of the picture's width and height
    objects     empty for a picture that shows none: a good example too
    flaws       what could not be read at all
    usable      False: nobody knows what is on the picture, so it is no example; the flaws say why
    """

    picture: Path
    file: Path
    size: tuple[int, int] | None = None
    normalized: bool = False
    objects: tuple[ObjectLabel, ...] = ()
    flaws: tuple[Flaw, ...] = ()
    usable: bool = True

    @staticmethod
    def unusable(picture: Path, file: Path, kind: str, sentence: str) -> "PictureLabels":
        """A picture that is left out, and why."""
        flaw = Flaw(kind, file, None, sentence, picture)
        return PictureLabels(picture=picture, file=file, flaws=(flaw,), usable=False)


@dataclass(frozen=True, slots=True)
class Part:
    """What is to be written of one split.

    pictures  the file of each picture, already in its new place, and what is on it
    """

    split: str | None
    pictures: tuple[tuple[Path, Example], ...]


class Format(Protocol):
    """What the module of each format offers."""

    @property
    def name(self) -> str: ...

    @property
    def least_side(self) -> float:
        """A side this long is a click without a drag: 1 where a box holds both corner pixels, else 0."""

    @property
    def cannot_hold(self) -> tuple[str, ...]:
        """Which of an example's flags are lost in this format."""

    def recognises(self, folder: Path) -> bool:
        """Whether the folder looks like this format."""

    def splits(self, folder: Path) -> tuple[str, ...]:
        """Names of the lists the folder is divided into; empty when it is not."""

    def class_names(self, folder: Path) -> tuple[str, ...] | None:
        """The classes the folder declares, in order; None: whatever its objects are called."""

    def read(self, folder: Path, split: str | None) -> Sequence[PictureLabels]:
        """The labels of one split, or of all pictures."""

    def picture_folder(self, split: str | None) -> str:
        """Where the pictures of a split lie, seen from the folder."""

    def write(self, parts: Sequence[Part], labels: LabelMap, folder: Path) -> None:
        """The labels of pictures that are in their places already; `read` gives the same examples."""
