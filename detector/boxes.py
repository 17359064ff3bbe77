"""Boxes as numbers: the two ways to write them, their areas and how much they overlap.

`boxes` are x1, y1, x2, y2; `boxes_cxcywh` are centre and size. All functions work in any unit and keep the
dtype they are given. A box whose right lies left of its left (or bottom above top) is invalid and has area 0.
"""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from detector.values import Boxes

Float = TypeVar("Float", bound=np.floating[Any])


def to_cxcywh(boxes: NDArray[Float]) -> NDArray[Float]:
    """Corners (..., 4) to centres and sizes."""
    low, high = boxes[..., :2], boxes[..., 2:]
    return np.concatenate([(low + high) / 2, high - low], axis=-1)


def to_xyxy(boxes_cxcywh: NDArray[Float]) -> NDArray[Float]:
    """Centres and sizes (..., 4) to corners."""
    centre, half = boxes_cxcywh[..., :2], boxes_cxcywh[..., 2:] / 2
    return np.concatenate([centre - half, centre + half], axis=-1)


def to_pixels(boxes_normalized: Boxes, height: int, width: int) -> Boxes:
    """Boxes (n, 4) of 0..1 to pixels of a frame, cut at its edges."""
    size = np.array([width, height, width, height], np.float32)
    boxes: Boxes = np.clip(boxes_normalized * size, 0, size)
    return boxes


def areas(boxes: NDArray[Float]) -> NDArray[Float]:
    """The area (...,) of each of (..., 4) boxes."""
    sides = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    return sides[..., 0] * sides[..., 1]


def intersections(a: NDArray[Float], b: NDArray[Float]) -> NDArray[Float]:
    """The area (n, m) that each of (n, 4) boxes has in common with each of (m, 4)."""
    ax1, ay1, ax2, ay2 = a.T[:, :, None]
    bx1, by1, bx2, by2 = np.ascontiguousarray(b.T)  # rows in one piece: a third faster on 20 x 8732
    common: NDArray[Float] = np.minimum(ax2, bx2)
    common -= np.maximum(ax1, bx1)
    np.maximum(common, 0, out=common)
    height = np.minimum(ay2, by2)
    height -= np.maximum(ay1, by1)
    np.maximum(height, 0, out=height)
    common *= height
    return common


def iou_matrix(a: NDArray[Float], b: NDArray[Float]) -> NDArray[Float]:
    """Intersection over union (n, m) of each of (n, 4) boxes with each of (m, 4); 0 where both are empty.

    Without the "+1" of pixel counting. The order of the operations is the one the compiled graph has
    (engines/graph_nms.py), so that both decide alike in float32.
    """
    common = intersections(a, b)
    union = areas(a)[:, None] + areas(b)
    union -= common
    np.maximum(union, np.finfo(union.dtype).tiny, out=union)
    common /= union
    return common
