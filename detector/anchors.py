"""Anchors: the boxes an SSD starts from, some of every shape at every cell of every feature map.

A layout lists, map by map, the shapes that stand at each cell. What the origins do differently (order of the
ratios, an extra square or none, sizes cut to whole pixels) is therefore plain in the list, and one function
turns any layout into boxes. `caffe_shapes` and `tensorflow_shapes` write the lists of the two great families.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import floor, sqrt
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


def caffe_shapes(
    min_size: float, max_size: float | None, ratios: Iterable[float], *, image: float
) -> tuple[Shape, ...]:
    """The shapes of Caffe's PriorBox: a square, a larger one if `max_size`, each ratio and its inverse.

    min_size, max_size  in the unit of `image`, the image's shorter side
    """
    squares = [min_size] if max_size is None else [min_size, sqrt(min_size * max_size)]
    shapes = [(side / image, side / image) for side in squares]
    for ratio in ratios:
        wide, narrow = min_size * sqrt(ratio) / image, min_size / sqrt(ratio) / image
        shapes += [(wide, narrow), (narrow, wide)]
    return tuple(shapes)


def tensorflow_shapes(scale: float, next_scale: float) -> tuple[Shape, ...]:
    """The six shapes of the Object Detection API: its "third" is 0.3333, and the larger square comes last."""
    shapes = [(scale * sqrt(ratio), scale / sqrt(ratio)) for ratio in (1.0, 2.0, 0.5, 3.0, 0.3333)]
    between = sqrt(scale * next_scale)
    return (*shapes, (between, between))


# The layouts of the published networks, by the name a model card or a person would say.

_Sizes: TypeAlias = Iterable[tuple[float, float | None]]

_MAPS_300, _STEPS_300 = (38, 19, 10, 5, 3, 1), (8, 16, 32, 64, 100, 300)
_MAPS_512, _STEPS_512 = (64, 32, 16, 8, 4, 2, 1), (8, 16, 32, 64, 128, 256, 512)
_MAPS_MOBILENET, _MAPS_MOBILENET_320 = (19, 10, 5, 3, 2, 1), (20, 10, 5, 3, 2, 1)
_RATIOS_300 = ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,))
_RATIOS_512 = ((2,), (2, 3), (2, 3), (2, 3), (2, 3), (2,), (2,))
_RATIOS_WIDE = ((2, 3),) * 6
_RATIOS_FIRST_NARROW = ((2,), *_RATIOS_WIDE[1:])
_VOC_300 = (30, 60, 111, 162, 213, 264, 315)
_COCO_300 = (21, 45, 99, 153, 207, 261, 315)
_VOC_512 = (35.84, 76.8, 153.6, 230.4, 307.2, 384.0, 460.8, 537.6)
_VOC_512_LUFFICC = (*_VOC_512[:-1], 537.65)  # its last size has a slip of the pen, and its weights with it
_COCO_512 = (20.48, 51.2, 133.12, 215.04, 296.96, 378.88, 460.8, 542.72)
_COCO_512_PAZ = (21, 51, 133, 215, 297, 379, 461, 542)
_CHUNML_300 = (30, 60, 112.5, 165, 217.5, 270, 322.5)
_RYKOV8: _Sizes = ((30, None), *pairwise((60, 114, 168, 222, 276, 330)))
_MOBILENET_CAFFE: _Sizes = ((60, None), *pairwise((105, 150, 195, 240, 285, 300)))
_SCALES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)


def _maps(
    cells: Iterable[int], shapes: Iterable[tuple[Shape, ...]], steps: Sequence[float] | None = None
) -> tuple[AnchorMap, ...]:
    return tuple(
        AnchorMap(height=side, width=side, shapes=each, step=None if steps is None else steps[index])
        for index, (side, each) in enumerate(zip(cells, shapes))
    )


def _caffe(
    image: int,
    cells: Sequence[int],
    sizes: _Sizes,
    ratios: Sequence[Sequence[float]],
    steps: Sequence[float] | None = None,
    clip: Clip = "none",
) -> AnchorLayout:
    shapes = [caffe_shapes(low, high, each, image=image) for (low, high), each in zip(sizes, ratios)]
    return AnchorLayout(image_size=(image, image), maps=_maps(cells, shapes, steps), clip=clip)


def _ssd300(sizes: Sequence[float], clip: Clip = "none") -> AnchorLayout:
    return _caffe(300, _MAPS_300, pairwise(sizes), _RATIOS_300, _STEPS_300, clip)


def _ssd512(sizes: Sequence[float], clip: Clip = "none") -> AnchorLayout:
    return _caffe(512, _MAPS_512, pairwise(sizes), _RATIOS_512, _STEPS_512, clip)


def _qfgaohao(image: int, cells: Sequence[int], steps: Sequence[float]) -> AnchorLayout:
    sizes = pairwise((60, 105, 150, 195, 240, 285, 330))
    return _caffe(image, cells, sizes, _RATIOS_WIDE, steps, "coordinates")


def _whole(sizes: Sequence[float]) -> tuple[int, ...]:
    return tuple(floor(size) for size in sizes)  # Caffe's released CPU code keeps them in integers


def _all_ratios_then_inverses(layout: AnchorLayout) -> AnchorLayout:
    order = {4: (0, 1, 2, 3), 6: (0, 1, 2, 4, 3, 5)}
    maps = [
        replace(each, shapes=tuple(each.shapes[i] for i in order[len(each.shapes)])) for each in layout.maps
    ]
    return replace(layout, maps=tuple(maps))


def _tensorflow(image: int, cells: Sequence[int]) -> AnchorLayout:
    first = ((0.1, 0.1), *caffe_shapes(0.2, None, [2], image=1)[1:])
    shapes = [first, *(tensorflow_shapes(*pair) for pair in list(pairwise(_SCALES))[1:])]
    return AnchorLayout(image_size=(image, image), maps=_maps(cells, shapes))


def _ssd7(height: int, width: int, cells: Sequence[tuple[int, int]]) -> AnchorLayout:
    maps = []
    for (rows, columns), pair in zip(cells, pairwise((0.08, 0.16, 0.32, 0.64, 0.96))):
        one, larger, wide, tall = caffe_shapes(*pair, [2], image=1)
        maps.append(AnchorMap(height=rows, width=columns, shapes=(tall, one, larger, wide)))
    return AnchorLayout(image_size=(height, width), maps=tuple(maps))


LAYOUTS: dict[str, AnchorLayout] = {
    "ssd300-voc": _ssd300(_VOC_300),
    "ssd300-voc-clamped": _ssd300(_VOC_300, "coordinates"),  # amdegroot, lufficc, qfgaohao's VGG
    "ssd300-voc-clipped": _ssd300(_VOC_300, "corners"),
    "ssd300-voc-jedol": _all_ratios_then_inverses(_ssd300(_VOC_300)),
    "ssd300-coco": _ssd300(_COCO_300),
    "ssd300-coco-clamped": _ssd300(_COCO_300, "coordinates"),
    "ssd300-coco-nvidia": replace(_ssd300(_COCO_300, "coordinates"), order="shapes"),
    "torchvision-ssd300": _ssd300(_COCO_300, "sizes"),
    "ssd300-chunml": _caffe(300, _MAPS_300, pairwise(_CHUNML_300), _RATIOS_300, clip="coordinates"),
    "ssd300-rykov8": _caffe(300, _MAPS_300, _RYKOV8, _RATIOS_FIRST_NARROW, clip="corners"),
    "ssd512-voc": _ssd512(_whole(_VOC_512)),
    "ssd512-voc-exact": _ssd512(_VOC_512),
    "ssd512-voc-clamped": _ssd512(_VOC_512_LUFFICC, "coordinates"),
    "ssd512-coco": _ssd512(_whole(_COCO_512)),
    "ssd512-coco-exact": _ssd512(_COCO_512),
    "ssd512-coco-clamped": _ssd512(_COCO_512, "coordinates"),
    "ssd512-coco-paz": _ssd512(_COCO_512_PAZ),
    "ssd7-300x480": _ssd7(300, 480, ((37, 60), (18, 30), (9, 15), (4, 7))),
    "ssd7-300": _ssd7(300, 300, ((37, 37), (18, 18), (9, 9), (4, 4))),
    "tf-ssd-300": _tensorflow(300, _MAPS_MOBILENET),
    "tf-ssd-320": _tensorflow(320, _MAPS_MOBILENET_320),
    "torchvision-ssdlite320": replace(
        _caffe(1, _MAPS_MOBILENET_320, pairwise(_SCALES), _RATIOS_WIDE, clip="sizes"), image_size=(320, 320)
    ),
    "mobilenet-ssd-caffe": _caffe(300, _MAPS_MOBILENET, _MOBILENET_CAFFE, _RATIOS_FIRST_NARROW),
    "mobilenet-qfgaohao": _qfgaohao(300, _MAPS_MOBILENET, (16, 32, 64, 100, 150, 300)),
    "squeezenet-qfgaohao": _qfgaohao(300, (17, 10, 5, 3, 2, 1), (16, 32, 64, 100, 150, 300)),
    "mobilenet-v2-lufficc": _qfgaohao(320, _MAPS_MOBILENET_320, (16, 32, 64, 100, 150, 300)),
    "mobilenet-v3-lufficc": _qfgaohao(320, _MAPS_MOBILENET_320, (16, 32, 64, 107, 160, 320)),
}
