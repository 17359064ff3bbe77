"""Which column of a CSV file is what: by the names in its first line, as a person says, or by their order."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.errors import DatasetError, OptionError

# What people call the columns; the first is what we call them. `width` and `height` are the picture's.
_SYNONYMS = {
    "picture": (
        *("picture", "image", "img", "image_id", "imageid", "image_name", "image_path"),
        *("file", "filename", "file_name", "path", "frame"),
    ),
    "class": ("class", "label", "class_name", "name", "category", "class_id", "labelname", "label_name"),
    "x1": ("x1", "xmin", "x_min", "left"),
    "y1": ("y1", "ymin", "y_min", "top"),
    "x2": ("x2", "xmax", "x_max", "right"),
    "y2": ("y2", "ymax", "y_max", "bottom"),
    "w": ("w", "box_width", "bbox_width"),
    "h": ("h", "box_height", "bbox_height"),
    "width": ("width", "image_width", "img_width"),
    "height": ("height", "image_height", "img_height"),
    "difficult": ("difficult",),
    "truncated": ("truncated", "istruncated"),
    "crowd": ("crowd", "iscrowd", "isgroupof"),
    "area": ("area",),
}
_CORNER_BESIDE_SIZE = {"x1": ("x", "box_x", "bbox_x"), "y1": ("y", "box_y", "bbox_y")}  # x, y, w, h
_WITHOUT_NAMES = ("picture", "x1", "y1", "x2", "y2", "class")  # the order of keras-retinanet
_BOXES = (("x1", "y1", "x2", "y2"), ("x1", "y1", "w", "h"))


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a line each thing stands, counted from 0.

    has_names  the first line holds names, no object
    """

    places: Mapping[str, int]
    has_names: bool

    @property
    def box(self) -> tuple[str, str, str, str]:
        """Which four columns are the box: two corners, or a corner and the size."""
        return _BOXES[0] if "x2" in self.places else _BOXES[1]


def parse_columns(text: str) -> dict[str, str]:
    """What a person says, "picture=img,class=kind,x1=3": names of columns, or their numbers from 1.

    raises  OptionError when the text is not of this form
    """
    said = {}
    for pair in text.split(","):
        ours, equals, theirs = (part.strip() for part in pair.partition("="))
        if ours not in _SYNONYMS or not equals or not theirs:
            known = ", ".join(_SYNONYMS)
            raise OptionError(f"--columns: '{pair}' is not NAME=COLUMN, where NAME is one of {known}.")
        said[ours] = theirs
    return said


def find_columns(first_line: Sequence[str], said: Mapping[str, str], file: Path) -> Columns:
    """The columns of a table.

    raises  DatasetError when they cannot be told
    """
    written = [cell.strip().casefold() for cell in first_line]
    places = _by_name(written, _SYNONYMS)
    if "w" in places and "h" in places:
        places = _by_name(written, _CORNER_BESIDE_SIZE) | places
    has_names = bool(places)
    for ours, theirs in said.items():
        if theirs.casefold() in written:
            places[ours], has_names = written.index(theirs.casefold()), True
        elif theirs.isdecimal() and 1 <= int(theirs) <= len(written):
            places[ours] = int(theirs) - 1
        else:
            raise DatasetError(
                f"{file}: has no column '{theirs}'; its first line is {', '.join(first_line)}."
            )
    if not places and len(written) == len(_WITHOUT_NAMES) and all(map(_is_number_or_nothing, written[1:5])):
        places = {ours: at for at, ours in enumerate(_WITHOUT_NAMES)}
    if not (places.keys() >= {"picture", "class"} and any(places.keys() >= set(box) for box in _BOXES)):
        line = ",".join(first_line)[:80]
        raise DatasetError(
            f"{file}: which columns hold picture, class and box cannot be told from '{line}'. "
            "Say it: --columns picture=NAME,class=NAME,x1=NAME,y1=NAME,x2=NAME,y2=NAME."
        )
    return Columns(places, has_names)


def number(text: str) -> float | None:
    """The number a cell holds; None when it holds none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _by_name(written: Sequence[str], names: Mapping[str, Sequence[str]]) -> dict[str, int]:
    found = (
        (ours, [written.index(each) for each in theirs if each in written]) for ours, theirs in names.items()
    )
    return {ours: places[0] for ours, places in found if places}


def _is_number_or_nothing(text: str) -> bool:
    return not text or number(text) is not None
