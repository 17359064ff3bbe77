"""The anchors behind a box: besides the one that gave it, those that said nearly the same."""

import numpy as np

from detector.boxes import iou_matrix
from detector.values import Boxes, Ids, Scores


def suppressed_by(winner: int, boxes: Boxes, scores: Scores, *, nms_iou: float, floor: float) -> Ids:
    """Anchors whose boxes of the same class had to give way in NMS to a kept one, best first.

    winner  the anchor whose box was kept
    boxes   (A, 4)  what every anchor says, any unit
    scores  (A,)    of the class
    floor   scores must be above it to take part in NMS
    """
    overlaps = iou_matrix(boxes[winner : winner + 1], boxes)[0]
    fallen = np.flatnonzero((overlaps > np.float32(nms_iou)) & (scores > np.float32(floor)))
    fallen = fallen[fallen != winner]
    return fallen[np.argsort(-scores[fallen], kind="stable")].astype(np.int32)
