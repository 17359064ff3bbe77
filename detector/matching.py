"""Which anchor answers for which object: the matcher of training, and of explanations."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.anchors import Anchors
from detector.boxes import areas, intersections, iou_matrix, to_xyxy
from detector.values import Boxes, Ids

REACH = 0.5  # from this IoU on an anchor learns an object (SSD paper 2.2)
_LEAST_IOU = 1e-6  # an object that no anchor overlaps by more stays without one, as in Caffe
_INSIDE = 0.5  # the part of an anchor; its IoU would be small in a large crowd, where nothing is known either


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """What each anchor is to learn from one picture.

    object_ids  (A,) int32  index of the object an anchor answers for, -1: none
    negatives   (A,) bool   may be taken as background; anchors that are neither are left out of the loss
    """

    object_ids: Ids
    negatives: NDArray[np.bool_]

    @property
    def positives(self) -> NDArray[np.bool_]:
        """(A,) bool: anchors that answer for an object."""
        return self.object_ids >= 0


def match(
    boxes: Boxes,
    anchors: Anchors,
    *,
    ignored: NDArray[np.bool_] | None = None,
    neg_overlap: float = REACH,
) -> Matches:
    """First every object takes its best anchor, then every anchor left its best object, if IoU reaches it.

    boxes        (n, 4) float32  x1, y1, x2, y2, normalized; n may be 0
    anchors      (A, 4) float32  cx, cy, w, h, normalized, as `generate` gives them
    ignored      (n,) bool       regions nothing is learned from: an anchor half inside one is no negative
    neg_overlap  IoU with any object from which an anchor is no negative
    source       SSD paper 2.2; Caffe's MultiBoxLoss, match type PER_PREDICTION: in the first stage the
                 largest IoU of all goes first, of equal ones the lowest anchor, then the first object
    """
    regions = boxes[:0] if ignored is None else boxes[ignored]
    objects = np.arange(len(boxes)) if ignored is None else np.flatnonzero(~ignored)
    anchor_boxes = to_xyxy(anchors)
    object_ids = np.full(len(anchors), -1, np.int32)
    negatives = np.ones(len(anchors), np.bool_)

    if len(objects):
        overlaps = iou_matrix(boxes[objects], anchor_boxes)
        best_object = overlaps.argmax(axis=0)
        best_iou = overlaps[best_object, np.arange(len(anchors))]
        takes = best_iou >= np.float32(REACH)
        object_ids[takes] = objects[best_object[takes]]
        for index, anchor in _bipartite(overlaps):
            object_ids[anchor] = objects[index]
        negatives = (best_iou < np.float32(neg_overlap)) & (object_ids < 0)

    if len(regions):
        inside = intersections(regions, anchor_boxes) >= np.float32(_INSIDE) * areas(anchor_boxes)
        negatives &= ~inside.any(axis=0)
    return Matches(object_ids, negatives)


def _bipartite(overlaps: NDArray[Any]) -> list[tuple[int, int]]:
    """Pairs of object and anchor, each at most once: the largest IoU of what is left, again and again.

    Each object remembers its best anchor, so only those whose anchor was just taken look again. Of equal IoUs
    the first object goes first; that gives the same pairs as the original's lowest anchor first.
    """
    count = len(overlaps)
    best_anchor = overlaps.argmax(axis=1)
    best_iou = overlaps[np.arange(count), best_anchor]
    pairs: list[tuple[int, int]] = []
    taken: list[int] = []
    while len(pairs) < count:
        index = int(best_iou.argmax())
        if not best_iou[index] > _LEAST_IOU:
            break
        anchor = int(best_anchor[index])
        pairs.append((index, anchor))
        taken.append(anchor)
        best_iou[index] = -1
        for other in np.flatnonzero((best_anchor == anchor) & (best_iou > _LEAST_IOU)):
            row = overlaps[other].copy()
            row[taken] = 0
            best_anchor[other] = row.argmax()
            best_iou[other] = row[best_anchor[other]]
    return pairs
