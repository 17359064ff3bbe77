"""Anchor shapes for the objects of a data set: k-means by IoU, map by map.

An anchor only meets an object when the cells of its map are close enough: so the objects are divided among
the maps first, each to the coarsest whose cells are at most half its shorter side apart. What a map's objects
look like then becomes the map's shapes; there are as many as before, so that weights still fit.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.anchors import AnchorLayout, AnchorMap, generate
from detector.boxes import iou_matrix, to_xyxy

Sizes = NDArray[np.float64]

_CLOSE = 0.5  # cells apart, in shorter sides: then the nearest anchor is at most a quarter of a side away
_OBJECTS_A_SHAPE = 3  # fewer objects say nothing about the next ones: the map keeps its shapes
_ROUNDS = 50


def best_ious(boxes: NDArray[np.float64], layout: AnchorLayout) -> NDArray[np.float64]:
    """The overlap of each object with the anchor that fits it best.

    boxes    (n, 4) x1, y1, x2, y2, normalized
    returns  (n,)
    """
    anchors = to_xyxy(generate(layout)).astype(np.float64)
    blocks = [iou_matrix(boxes[k : k + 256], anchors).max(axis=1) for k in range(0, len(boxes), 256)]
    return np.concatenate(blocks) if blocks else np.zeros(0)


def propose(boxes: NDArray[np.float64], layout: AnchorLayout) -> AnchorLayout:
    """The layout with shapes that look like these objects.

    boxes  (n, 4) x1, y1, x2, y2, normalized
    """
    height, width = layout.image_size
    shorter = min(layout.image_size)
    sizes = (boxes[:, 2:] - boxes[:, :2]) * (width / shorter, height / shorter)
    homes = _homes(sizes, layout)
    maps = [_suited(each, sizes[homes == number]) for number, each in enumerate(layout.maps)]
    return replace(layout, maps=tuple(maps))


def _homes(sizes: Sizes, layout: AnchorLayout) -> NDArray[np.intp]:
    """The map of each object, (n,)."""
    shorter = min(layout.image_size)
    even = [max(np.divide(layout.image_size, (each.height, each.width))) for each in layout.maps]
    apart = [(each.step or step) / shorter for each, step in zip(layout.maps, even)]
    fits = sizes.min(axis=1)[:, None] * _CLOSE >= np.array(apart)
    return np.where(fits.any(axis=1), len(apart) - 1 - fits[:, ::-1].argmax(axis=1), 0)


def _suited(each: AnchorMap, sizes: Sizes) -> AnchorMap:
    count = len(each.shapes)
    if len(sizes) < _OBJECTS_A_SHAPE * count:
        return each
    shapes = cluster(sizes, count)
    return replace(
        each, shapes=tuple((float(w), float(h)) for w, h in shapes[np.argsort(shapes.prod(axis=1))])
    )


def cluster(sizes: Sizes, count: int) -> Sizes:
    """`count` sizes (count, 2) that overlap these (n, 2) well: k-means with 1 - IoU for distance.

    Always the same answer: it begins with sizes evenly spread over the objects by area.

    source  Redmon & Farhadi, YOLO9000, section 2
    """
    by_area = sizes[np.argsort(sizes.prod(axis=1), kind="stable")]
    centres = by_area[((np.arange(count) + 0.5) * len(sizes) / count).astype(int)]
    nearest: NDArray[Any] | None = None
    for _ in range(_ROUNDS):
        before, nearest = nearest, _overlaps(sizes, centres).argmax(axis=1)
        if before is not None and np.array_equal(before, nearest):
            break
        centres = np.array(
            [
                np.median(sizes[nearest == k], axis=0) if (nearest == k).any() else centres[k]
                for k in range(count)
            ]
        )
    return centres


def _overlaps(sizes: Sizes, centres: Sizes) -> Sizes:
    """IoU (n, k) of sizes (n, 2) and (k, 2), laid one upon the other."""
    common = np.minimum(sizes[:, None], centres).prod(axis=2)
    return np.asarray(common / (sizes.prod(axis=1)[:, None] + centres.prod(axis=1) - common))


def describe(shapes: Sequence[tuple[float, float]]) -> str:
    """Side and ratio of each, as the paper says them: "0.20 x 1.00, 0.28 x 2.00"."""
    return ", ".join(f"{np.sqrt(w * h):.2f} x {w / h:.2f}" for w, h in shapes)
