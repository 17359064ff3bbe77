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
from detector.boxes import iou_matrix, to_xyxy
from detector.values import Boxes, Ids, Scores

# The best 1000 pairs of anchor and class of a picture take part in NMS. Caffe lets 400 of each class in;
# a picture has room for a few dozen objects, and the graph's suppression matrix grows with the square.
CANDIDATES = 1000

_BLOCK = 128  # an IoU matrix of this side stays in the processor's cache: 0.05 ms; one of 500 takes 3 ms


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
    kept = nms(boxes, values, class_ids, nms_iou=nms_iou)[:max_detections]
    return Selection(
        boxes[kept], values[kept], class_ids[kept].astype(np.int32), anchor_ids[kept].astype(np.int32)
    )


def nms(boxes: Boxes, scores: Scores, class_ids: NDArray[Any], *, nms_iou: float) -> NDArray[np.intp]:
    """Exact greedy class-wise non-maximum suppression.

    boxes      (n, 4) float32  x1, y1, x2, y2 in any unit; invalid ones have area 0
    scores     (n,)   float32  in any order; of equal ones the first is the better
    class_ids  (n,)   integers
    nms_iou    a box is kept if its IoU with each better kept box of its class is at most this
    returns    indices of the kept boxes, highest score first
    """
    order = np.lexsort((-scores, class_ids))
    boxes, classes = boxes[order], class_ids[order]
    kept = np.zeros(0, np.intp)
    for start in range(0, len(order), _BLOCK):
        block = np.arange(start, min(start + _BLOCK, len(order)))
        # Classes lie one after the other: of what is kept, only this block's first class reaches into it.
        earlier = kept[classes[kept] == classes[start]]
        if len(earlier):
            first = block[classes[block] == classes[start]]
            beaten = (iou_matrix(boxes[earlier], boxes[first]) > np.float32(nms_iou)).any(axis=0)
            block = np.concatenate([first[~beaten], block[len(first) :]])
        kept = np.concatenate([kept, block[_greedy(boxes[block], classes[block], nms_iou)]])
    kept = order[kept]
    return kept[np.lexsort((kept, -scores[kept]))]


def _greedy(boxes: Boxes, classes: NDArray[Any], nms_iou: float) -> NDArray[np.bool_]:
    """Which of these boxes stay (n,); in each class they stand from the best to the worst."""
    beats = iou_matrix(boxes, boxes) > np.float32(nms_iou)
    beats &= classes[:, None] == classes
    np.fill_diagonal(beats, False)
    stays = np.ones(len(boxes), np.bool_)
    for index in np.flatnonzero(beats.any(axis=1)):
        if stays[index]:
            stays[index + 1 :] &= ~beats[index, index + 1 :]
    return stays


def _candidates(scores: Scores, floor: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Anchor and class of the best CANDIDATES scores above the floor, by anchor, then by class."""
    chosen = np.flatnonzero(scores > np.float32(floor))
    classes = scores.shape[1]
    if len(chosen) > CANDIDATES:
        values = scores[chosen // classes, chosen % classes]
        least = np.partition(values, len(values) - CANDIDATES)[len(values) - CANDIDATES]
        better = values > least
        ties = np.flatnonzero(values == least)[: CANDIDATES - np.count_nonzero(better)]
        better[ties] = True
        chosen = chosen[better]
    return chosen // classes, chosen % classes
