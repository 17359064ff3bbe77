"""The anchor layouts of the published networks, by the name a model card or a person would say.

`caffe_shapes` and `tensorflow_shapes` write the lists of shapes of the two great families.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from math import floor, sqrt
from typing import TypeAlias

from detector.anchors import AnchorLayout, AnchorMap, Clip, Shape


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
