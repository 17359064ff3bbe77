"""What a person says about a file of weights that the file itself may not say."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detector.anchor_layouts import LAYOUTS
from detector.anchors import AnchorLayout
from detector.errors import ImportFileError, ModelError, OptionError
from detector.importers.published_anchors import Fitting


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The options of `models import`. What the file knows better is compared with them, never replaced.

    architecture  a name of the catalog
    classes_file  names of the classes, one a line
    anchors       a name of LAYOUTS, or a JSON file: a model's card, or its "anchors"
    input_size    (height, width) in pixels
    prototxt      the description of a .caffemodel
    """

    architecture: str | None = None
    classes_file: Path | None = None
    anchors: str | None = None
    input_size: tuple[int, int] | None = None
    prototxt: Path | None = None

    def check_architecture(self, found: str, file: str) -> None:
        """raises  ImportFileError when the person named another architecture than the file holds"""
        from detector.networks.catalog import find_architecture

        if self.architecture is not None and find_architecture(self.architecture).name != found:
            raise ImportFileError(
                f"{file} holds {found}, not {self.architecture}; leave --architecture out or name that one."
            )

    def choose_input_size(self, found: tuple[int, int] | None, file: str) -> tuple[int, int] | None:
        """The size the file says, or else the person; None when neither does.

        raises  ImportFileError when they disagree
        """
        if None not in (found, self.input_size) and found != self.input_size:
            assert found is not None and self.input_size is not None
            raise ImportFileError(
                f"{file} takes pictures of {found[0]}x{found[1]} (height x width), "
                f"not {self.input_size[0]}x{self.input_size[1]}; leave --input-size out."
            )
        return found or self.input_size

    def means(self, found: AnchorLayout) -> bool:
        """Whether the person named these anchors, whatever the size of the pictures."""
        return self.anchors is not None and _same_shapes(read_layout(self.anchors), found)

    def check_anchors(self, found: AnchorLayout, file: str) -> None:
        """raises  ImportFileError when the person named other anchors than the file holds"""
        if self.anchors is None or self.means(found):
            return
        raise ImportFileError(
            f"{file} says itself which anchors it has, and they are not {self.anchors}: its smallest have "
            f"{first_size(found):.4g} pixels, those {first_size(read_layout(self.anchors)):.4g}; "
            "leave --anchors out."
        )

    def choose_anchors(self, file: str, per_cell: tuple[int, ...], fitting: Fitting) -> AnchorLayout:
        """The anchors of a file that does not hold them.

        per_cell  anchors at a cell of each map, as the file's predictors have them
        fitting   the published layouts that such a file may have
        raises    ImportFileError that lists the choices when nobody said; when what was said cannot be
        """
        choices, why = fitting
        certain = None if why is None else next(iter(choices))
        if self.anchors is None:
            if certain is not None:
                return LAYOUTS[certain]
            listed = "; ".join(f"{name} ({when})" for name, when in choices.items())
            raise ImportFileError(
                f"{file} does not say which anchors it was trained with; say it with --anchors: {listed}."
            )
        layout = read_layout(self.anchors)
        if layout.boxes_per_cell != per_cell:
            raise ImportFileError(
                f"The predictors of {file} are for {_list(per_cell)} anchors a cell, but {self.anchors} has "
                f"{_list(layout.boxes_per_cell)}; there are {', '.join(choices)}."
            )
        if certain is not None and first_size(layout) != first_size(LAYOUTS[certain]):
            raise ImportFileError(
                f"{file}: {why}: their anchors start at "
                f"{first_size(LAYOUTS[certain]):.4g} pixels, not {first_size(layout):.4g}; "
                "leave --anchors out."
            )
        return layout


def read_layout(said: str) -> AnchorLayout:
    """The anchors a person names: a published layout, or a JSON file.

    raises  OptionError when it is neither
    """
    if said in LAYOUTS:
        return LAYOUTS[said]
    path = Path(said)
    if not path.is_file():
        import difflib

        near = difflib.get_close_matches(said, LAYOUTS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(LAYOUTS)}."
        raise OptionError(f"There are no anchors '{said}', nor a file of that name; {hint}")
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return AnchorLayout.from_json(fields.get("anchors", fields))
    except (OSError, ValueError, AttributeError, ModelError) as error:
        raise OptionError(
            f'{path} holds no anchors: {error} It must be a model\'s card, or the "anchors" of one.'
        ) from error


def _same_shapes(one: AnchorLayout, other: AnchorLayout) -> bool:
    """Within a thousandth: what a file says in float32 or decimals may differ that little."""
    if one.boxes_per_cell != other.boxes_per_cell:
        return False
    pairs = zip(one.maps, other.maps)
    return all(np.allclose(mine.shapes, its.shapes, rtol=1e-3) for mine, its in pairs)


def first_size(layout: AnchorLayout) -> float:
    """Pixels a side of the smallest square anchor of the finest map."""
    shapes = layout.maps[0].shapes
    square = min((shape for shape in shapes if shape[0] == shape[1]), default=min(shapes))
    return square[0] * min(layout.image_size)


def _list(counts: tuple[int, ...]) -> str:
    return ", ".join(map(str, counts))
