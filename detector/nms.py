"""From the network's raw answers for one picture to the boxes that are kept: the path for processors.

The rules are Caffe's: greedy and class-wise, a box is kept if its IoU with every better kept box of its class
is at most `nms_iou`, boxes are not clipped before. The compiled graph (engines/graph_nms.py) obeys the same,
box for box.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.anchors import Anchors
from detector.box_coder import Variances, decode
from detector.boxes import areas, to_xyxy
from detector.values import Boxes, Ids, Scores

# The best 1000 pairs of anchor and class of a picture take part in NMS. Caffe lets 400 of each class in;
# a picture has room for a few dozen objects, and the graph's suppression matrix grows with the square.
CANDIDATES = 1000

# Boxes looked at together: often enough of the first are kept. Fewer where most are of one class, since the
# work grows with the pairs of a class (1000 of one: 2 ms, 12 ms at once).
_BLOCK, _BLOCK_OF_ONE_CLASS = 450, 150


class Selection(NamedTuple):
    """What NMS keeps of one picture, highest score first.

    boxes       (n, 4) float32  x1, y1, x2, y2, normalized, may stick out of the picture
    scores      (n,)   float32
    class_ids   (n,)   int32
    anchor_ids  (n,)   int32
    """

    boxes: Boxes
    scores: Scores
    class_ids: Ids
    anchor_ids: Ids


def select(
    scores: Scores,
    offsets: Boxes,
    anchors: Anchors,
    variances: Variances,
    *,
    floor: float,
    nms_iou: float,
    max_detections: int,
) -> Selection:
    """Chooses the candidates, decodes only those, and keeps what NMS keeps.

    scores          (A, classes) float32, background left out; any strides
    offsets         (A, 4) float32, as the network gives them
    anchors         (A, 4) float32, cx, cy, w, h, normalized
    floor           scores must be above it
    nms_iou         boxes of a class that overlap a better one by more are dropped
    max_detections  over all classes
    """
    anchor_ids, class_ids = _candidates(scores, floor)
    values = scores[anchor_ids, class_ids]
    boxes = to_xyxy(decode(offsets[anchor_ids], anchors[anchor_ids], variances))
    kept = nms(boxes, values, class_ids, nms_iou=nms_iou, max_detections=max_detections)
    return Selection(
        boxes[kept], values[kept], class_ids[kept].astype(np.int32), anchor_ids[kept].astype(np.int32)
    )


def nms(
    boxes: Boxes,
    scores: Scores,
    class_ids: NDArray[Any],
    *,
    nms_iou: float,
    max_detections: int | None = None,
) -> NDArray[np.intp]:
    """Exact greedy class-wise non-maximum suppression.

    boxes           (n, 4) float32  x1, y1, x2, y2 in any unit; invalid ones have area 0
    scores          (n,)   float32  in any order; of equal ones the first is the better
    class_ids       (n,)   integers
    nms_iou         a box is kept if its IoU with each better kept box of its class is at most this
    max_detections  no more than the best so many
    returns         indices of the kept boxes, highest score first
    """
    order = np.argsort(-scores, kind="stable")
    most = int(np.bincount(class_ids, minlength=1).max())
    block = max(1, min(_BLOCK, _BLOCK_OF_ONE_CLASS * len(order) // max(1, most)))
    kept = order[:0]
    for start in range(0, len(order), block):
        kept = np.concatenate([kept, order[start : start + block]])
        kept = kept[_stays(boxes[kept], class_ids[kept], nms_iou)]
        if max_detections is not None and len(kept) >= max_detections:
            break  # those that follow are worse than all that are kept
    return kept[:max_detections]


def _stays(boxes: Boxes, class_ids: NDArray[Any], nms_iou: float) -> NDArray[np.bool_]:
    """Which of the boxes, given from the best to the worst, greedy suppression keeps."""
    order = np.argsort(class_ids, kind="stable")  # class by class, the best first
    better, worse = _overlapping(boxes[order], class_ids[order], nms_iou)
    # The greedy result is the only one in which a box stays if no better one that stays beats it.
    stays, before = np.ones(len(boxes), np.bool_), None
    while before is None or not np.array_equal(stays, before):
        before, stays = stays, np.ones(len(boxes), np.bool_)
        stays[worse[before[better]]] = False
    in_given_order = np.empty(len(boxes), np.bool_)
    in_given_order[order] = stays
    return in_given_order


def _overlapping(
    boxes: Boxes, classes: NDArray[Any], nms_iou: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The pairs of a class that overlap by more than the limit: the better's index (m,), the worse's (m,).

    Only pairs of a class are looked at: of 900 boxes of 50 classes, 22,000 pairs instead of 400,000.
    IoU in the order of boxes.iou_matrix.

    boxes  (n, 4) class by class, in each from the best to the worst
    """
    each = np.arange(len(boxes))
    later = np.searchsorted(classes, classes, side="right") - each - 1  # how many others of its class follow
    better = np.repeat(each, later)
    worse = np.arange(len(better)) + np.repeat(each + 1 - np.cumsum(later) + later, later)

    corners, area = np.ascontiguousarray(boxes.T), areas(boxes)
    one, other = np.repeat(corners, later, axis=1), np.take(corners, worse, axis=1)
    sides = np.minimum(one[2:], other[2:])
    sides -= np.maximum(one[:2], other[:2])
    np.maximum(sides, 0, out=sides)
    common = sides[0] * sides[1]
    union = np.repeat(area, later) + area[worse]
    union -= common
    common /= np.maximum(union, np.finfo(np.float32).tiny)
    over = np.flatnonzero(common > np.float32(nms_iou))
    return better[over], worse[over]


def _candidates(scores: Scores, floor: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Anchor and class of the best CANDIDATES scores above the floor, by anchor, then by class."""
    chosen = np.flatnonzero(scores > np.float32(floor))
    classes = scores.shape[1]
    if len(chosen) > CANDIDATES:
        values = scores.ravel()[chosen]
        least = np.partition(values, len(values) - CANDIDATES)[len(values) - CANDIDATES]
        better = values > least
        ties = np.flatnonzero(values == least)[: CANDIDATES - np.count_nonzero(better)]
        better[ties] = True
        chosen = chosen[better]
    return chosen // classes, chosen % classes
