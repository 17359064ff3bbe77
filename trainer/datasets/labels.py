"""Labels as a file states them: what a reader of one format hands on, not yet trusted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from trainer.datasets.example import Flaw


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
    flaws       what could not be read at all
    """

    picture: Path
    file: Path
    size: tuple[int, int] | None = None
    normalized: bool = False
    objects: tuple[ObjectLabel, ...] = ()
    flaws: tuple[Flaw, ...] = ()


class Format(Protocol):
    """What the module of each format offers."""

    name: str
    # A side this long is a click without a drag: 1 where both corner pixels belong to the box (VOC), else 0.
    least_side: float

    def recognises(self, folder: Path) -> bool:
        """Whether the folder looks like this format."""

    def splits(self, folder: Path) -> tuple[str, ...]:
        """Names of the lists the folder is divided into; empty when it is not."""

    def class_names(self, folder: Path) -> tuple[str, ...] | None:
        """The classes the folder declares, in order; None: whatever its objects are called."""

    def read(self, folder: Path, split: str | None) -> Sequence[PictureLabels]:
        """The labels of one split, or of all pictures."""
