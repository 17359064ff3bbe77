"""Anchors: the boxes an SSD starts from, some of every shape at every cell of every feature map.

A layout lists, map by map, the shapes that stand at each cell. What the origins do differently (order of the
ratios, an extra square or none, sizes cut to whole pixels) is therefore plain in the list, and one function
turns any layout into boxes. `detector.anchor_layouts` has the layouts of the published networks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from detector.errors import ModelError

Anchors: TypeAlias = NDArray[np.float32]
Shape: TypeAlias = tuple[float, float]
Clip: TypeAlias = Literal["none", "coordinates", "sizes", "corners"]
Order: TypeAlias = Literal["cells", "shapes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorMap:
    """The anchors of one feature map.

    height, width  cells
    shapes         (width, height) of the anchors at each cell, fractions of the image's shorter side
    step           pixels of the image from cell to cell; None: the image divided evenly by the cells
    offset         where in its cell an anchor's centre lies
    """

    height: int
    width: int
    shapes: tuple[Shape, ...]
    step: float | None = None
    offset: float = 0.5

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise ValueError(f"a feature map needs cells, not {self.height}x{self.width}")
        if not self.shapes or min(min(shape) for shape in self.shapes) <= 0:
            raise ValueError(f"a feature map needs anchor shapes with sizes above 0, not {self.shapes}")
        if self.step is not None and self.step <= 0:
            raise ValueError(f"the step between anchors must be above 0, not {self.step}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorLayout:
    """All anchors of a network.

    image_size  (height, width) of the network's input, pixels
    maps        from the finest to the coarsest
    clip        to 0..1: "none"; "coordinates" cx, cy, w and h each for itself; "sizes" w and h only;
                "corners" the box itself, which moves the centre of what sticks out
    order       within a map: "cells" all shapes of a cell, then the next cell; "shapes" all cells of a shape,
                then the next shape
    """

    image_size: tuple[int, int]
    maps: tuple[AnchorMap, ...]
    clip: Clip = "none"
    order: Order = "cells"

    def __post_init__(self) -> None:
        if len(self.image_size) != 2 or min(self.image_size) < 1:
            raise ValueError(f"image_size must be (height, width) in pixels, not {self.image_size}")
        if not self.maps:
            raise ValueError("a layout needs at least one feature map")
        if self.clip not in get_args(Clip) or self.order not in get_args(Order):
            raise ValueError(f"unknown clip '{self.clip}' or order '{self.order}'")

    @property
    def boxes_per_cell(self) -> tuple[int, ...]:
        """How many anchors stand at each cell, map by map."""
        return tuple(len(each.shapes) for each in self.maps)

    @property
    def map_shapes(self) -> tuple[tuple[int, int], ...]:
        """(height, width) of each map, cells."""
        return tuple((each.height, each.width) for each in self.maps)

    @property
    def counts(self) -> tuple[int, ...]:
        """How many anchors each map has."""
        return tuple(each.height * each.width * len(each.shapes) for each in self.maps)

    @property
    def count(self) -> int:
        """How many anchors there are."""
        return sum(self.counts)

    def for_maps(self, map_shapes: Sequence[tuple[int, int]], image_size: tuple[int, int]) -> "AnchorLayout":
        """The same shapes over an input of another size, which need not be square.

        map_shapes  (height, width) in cells of every map the network has at that size
        image_size  (height, width) of the input, pixels

        Sizes stay fractions of the shorter side. A step that is the network's stride (8, 16, 32 …) stays in
        pixels, since what a cell sees stays there too. The steps 100 and 300 of SSD300 only say "the image
        divided by the cells" in pixels, and so does the step of a map of one cell; they divide the new image.
        """
        if len(map_shapes) != len(self.maps):
            raise ValueError(f"{len(self.maps)} maps are needed, {len(map_shapes)} are given")
        if tuple(map_shapes) == self.map_shapes and tuple(image_size) == self.image_size:
            return self
        first = self.maps[0].step
        maps = []
        for index, (each, (height, width)) in enumerate(zip(self.maps, map_shapes)):
            is_stride = first is not None and each.step == first * 2**index and each.height * each.width > 1
            maps.append(replace(each, height=height, width=width, step=each.step if is_stride else None))
        return replace(self, image_size=(image_size[0], image_size[1]), maps=tuple(maps))

    def to_json(self) -> dict[str, Any]:
        """What a model card says about its anchors; `from_json` reads it back equal."""
        return {
            "image_size": list(self.image_size),
            "clip": self.clip,
            "order": self.order,
            "maps": [
                {
                    "cells": [each.height, each.width],
                    "step": each.step,
                    "offset": each.offset,
                    "shapes": [list(shape) for shape in each.shapes],
                }
                for each in self.maps
            ],
        }

    @staticmethod
    def from_json(card: Mapping[str, Any]) -> "AnchorLayout":
        """Reads what `to_json` wrote.

        raises  ModelError when something is missing or cannot be meant
        """
        try:
            height, width = card["image_size"]
            return AnchorLayout(
                image_size=(int(height), int(width)),
                maps=tuple(_map_from_json(each) for each in card["maps"]),
                clip=card["clip"],
                order=card["order"],
            )
        except KeyError as error:
            raise ModelError(f"The anchors of the model card lack {error}. Import it again.") from error
        except (TypeError, ValueError) as error:
            raise ModelError(f"The anchors of the model card are wrong: {error}. Import it again.") from error


def _map_from_json(card: Mapping[str, Any]) -> AnchorMap:
    height, width = card["cells"]
    return AnchorMap(
        height=int(height),
        width=int(width),
        shapes=tuple((float(w), float(h)) for w, h in card["shapes"]),
        step=None if card["step"] is None else float(card["step"]),
        offset=float(card["offset"]),
    )


def generate(layout: AnchorLayout) -> Anchors:
    """The anchors in the order of the network's answers.

    returns  (A, 4) float32  cx, cy, w, h, normalized; computed in double. Rows from top to bottom, in a row
             from left to right, at a cell in the order of its shapes (see `AnchorLayout.order`)
    source   SSD paper 2.2; Caffe's PriorBox
    """
    return np.concatenate([_of_map(each, layout) for each in layout.maps]).astype(np.float32)


def _of_map(each: AnchorMap, layout: AnchorLayout) -> NDArray[np.float64]:
    image_height, image_width = layout.image_size
    shorter = min(layout.image_size)
    step_y, step_x = image_height / each.height, image_width / each.width
    if each.step is not None:
        step_y = step_x = each.step

    boxes = np.empty((each.height, each.width, len(each.shapes), 4))
    boxes[..., 0] = ((np.arange(each.width) + each.offset) * step_x / image_width)[None, :, None]
    boxes[..., 1] = ((np.arange(each.height) + each.offset) * step_y / image_height)[:, None, None]
    boxes[..., 2:] = np.array(each.shapes) * (shorter / image_width, shorter / image_height)
    if layout.order == "shapes":
        boxes = np.moveaxis(boxes, 2, 0)
    return _clipped(boxes.reshape(-1, 4), layout.clip)


def _clipped(boxes: NDArray[np.float64], clip: Clip) -> NDArray[np.float64]:
    if clip == "coordinates":
        return np.clip(boxes, 0, 1)
    if clip == "sizes":
        boxes[:, 2:] = np.clip(boxes[:, 2:], 0, 1)
    if clip == "corners":
        low = np.clip(boxes[:, :2] - boxes[:, 2:] / 2, 0, 1)
        high = np.clip(boxes[:, :2] + boxes[:, 2:] / 2, 0, 1)
        return np.concatenate([(low + high) / 2, high - low], axis=1)
    return boxes
