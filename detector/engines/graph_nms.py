"""The rules of detector/nms.py inside the compiled graph: batched, static shapes, any Keras backend.

Greedy suppression looks at one box at a time, but its result is the only fixed point of "a box stays if no
better one that stays beats it". So all boxes decide at once, from the matrix of who beats whom, until nothing
changes: as many rounds as the longest chain of boxes that free one another, a handful in real pictures.

For accelerators: 2 MB a picture beside the answers. On a processor it takes 4 ms a picture (JAX), since it
builds the whole matrix of 1000 x 1000, where detector/nms.py looks at the few dozen real candidates.
"""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from detector.anchors import Anchors
from detector.box_coder import LARGEST_LOG, Variances
from detector.nms import CANDIDATES

_TINY = float(np.finfo(np.float32).tiny)


class BatchSelection(NamedTuple):
    """What NMS keeps of each picture, highest score first; past `counts` the rows are padding.

    boxes       (batch, n, 4) float32  x1, y1, x2, y2, normalized, may stick out of the picture; padding 0
    scores      (batch, n)    float32  padding 0
    class_ids   (batch, n)    int32    padding -1
    anchor_ids  (batch, n)    int32    padding -1
    counts      (batch,)      int32    how many are real
    """

    boxes: Any
    scores: Any
    class_ids: Any
    anchor_ids: Any
    counts: Any


def select(
    scores: Any,
    offsets: Any,
    anchors: Anchors,
    variances: Variances,
    *,
    floor: Any,
    nms_iou: Any,
    max_detections: int,
) -> BatchSelection:
    """Chooses the candidates of each picture, decodes only those, and keeps what NMS keeps.

    scores, offsets  (batch, A, classes) without background, (batch, A, 4)
    anchors          (A, 4) float32, cx, cy, w, h, normalized
    floor, nms_iou   as in detector/nms.py; tensors, so that no value is baked into the graph
    max_detections   rows of the answer, CANDIDATES at most: a shape, so another number is another graph
    """
    anchor_count, classes = scores.shape[1:]
    flat = ops.reshape(ops.cast(scores, "float32"), (-1, anchor_count * classes))
    # Of equal scores every backend puts the first in front: lower anchor, then lower class.
    values, positions = ops.top_k(flat, min(CANDIDATES, anchor_count * classes))
    anchor_ids, class_ids = positions // classes, positions % classes
    candidate_offsets = ops.take_along_axis(ops.cast(offsets, "float32"), anchor_ids[:, :, None], axis=1)
    boxes = _decode(candidate_offsets, ops.take(anchors, anchor_ids, axis=0), variances)

    stays = _greedy(boxes, class_ids, values > ops.cast(floor, "float32"), ops.cast(nms_iou, "float32"))
    return _compact(boxes, values, class_ids, anchor_ids, stays, min(max_detections, values.shape[1]))


def _decode(offsets: Any, anchors: Any, variances: Variances) -> Any:
    """Offsets (..., 4) to corners; the formula of box_coder.decode."""
    scaled = offsets * np.array(variances, np.float32)
    centre = anchors[..., :2] + scaled[..., :2] * anchors[..., 2:]
    half = anchors[..., 2:] * ops.exp(ops.minimum(scaled[..., 2:], LARGEST_LOG)) / 2
    return ops.concatenate([centre - half, centre + half], axis=-1)


def _greedy(boxes: Any, class_ids: Any, taking_part: Any, nms_iou: Any) -> Any:
    """Which boxes (batch, n, 4), from the best to the worst, greedy suppression keeps: (batch, n) bool."""
    rank = np.arange(boxes.shape[1])
    # (batch, n, n): the row is beaten by the column, if that stays
    beaten_by = ops.logical_and(_iou(boxes) > nms_iou, class_ids[:, :, None] == class_ids[:, None, :])
    beaten_by = ops.cast(ops.logical_and(beaten_by, rank[:, None] > rank), "float32")

    def unsettled(stays: Any, before: Any) -> Any:
        return ops.any(ops.not_equal(stays, before))

    def decide(stays: Any, _: Any) -> tuple[Any, Any]:
        # A product of matrices counts those who beat: every runtime is quick at it, few at a logical any.
        beaten_times = ops.matmul(beaten_by, ops.cast(stays, "float32")[:, :, None])[:, :, 0]
        return ops.logical_and(taking_part, beaten_times == 0), stays

    return ops.while_loop(unsettled, decide, (taking_part, ops.logical_not(taking_part)))[0]


def _iou(boxes: Any) -> Any:
    """Intersection over union (batch, n, n) of boxes (batch, n, 4), in the order of boxes.iou_matrix.

    Each product passes through `where` before it is added to anything: XLA otherwise fuses the two into one
    operation with one rounding, and 2 % of the overlaps differ from the other path's in their last bit.
    """
    x1, y1, x2, y2 = (boxes[..., side] for side in range(4))
    area = _product(x2 - x1, y2 - y1)
    common = _product(
        ops.minimum(x2[:, :, None], x2[:, None, :]) - ops.maximum(x1[:, :, None], x1[:, None, :]),
        ops.minimum(y2[:, :, None], y2[:, None, :]) - ops.maximum(y1[:, :, None], y1[:, None, :]),
    )
    area = ops.maximum(area, _TINY)
    return common / (area[:, :, None] + area[:, None, :] - common)


def _product(width: Any, height: Any) -> Any:
    return ops.where(ops.logical_and(width > 0, height > 0), width * height, 0.0)


def _compact(
    boxes: Any, scores: Any, class_ids: Any, anchor_ids: Any, stays: Any, rows: int
) -> BatchSelection:
    """Moves what stays to the front, in its order, and pads the rest."""
    falling = np.arange(boxes.shape[1], 0, -1, dtype=np.int32)
    places = ops.top_k(ops.where(stays, falling, 0), rows)[1]
    counts = ops.minimum(ops.sum(ops.cast(stays, "int32"), axis=1), rows)
    real = np.arange(rows, dtype=np.int32) < counts[:, None]
    return BatchSelection(
        boxes=ops.where(real[:, :, None], ops.take_along_axis(boxes, places[:, :, None], axis=1), 0.0),
        scores=ops.where(real, ops.take_along_axis(scores, places, axis=1), 0.0),
        class_ids=ops.where(real, ops.take_along_axis(class_ids, places, axis=1), -1),
        anchor_ids=ops.where(real, ops.take_along_axis(anchor_ids, places, axis=1), -1),
        counts=counts,
    )
