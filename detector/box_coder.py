"""The box coder: what the network learns about a box, relative to an anchor."""

from typing import TypeAlias

import numpy as np

from detector.anchors import Anchors
from detector.values import Boxes

Variances: TypeAlias = tuple[float, float, float, float]

VARIANCES: Variances = (0.1, 0.1, 0.2, 0.2)  # Caffe's, and everybody's since but SSD7's ones

# A box at most e^20 times its anchor: far beyond any picture, so no real answer changes, but wild weights
# give no infinite boxes. The compiled graph (engines/graph_nms.py) has the same bound.
LARGEST_LOG = 20.0


def encode(boxes_cxcywh: Boxes, anchors: Anchors, variances: Variances = VARIANCES) -> Boxes:
    """Offsets the network learns for each anchor.

    boxes_cxcywh, anchors  (..., 4) float32, in the same unit, sizes above 0
    variances              what one unit of an offset is worth: x, y by the anchor's size, w, h by e
    returns                (..., 4) float32 x, y, w, h; `decode` undoes it within 1e-6
    raises                 ValueError when a size is 0 or less (its logarithm would make every loss NaN)
    source                 SSD paper 2.2; CENTER_SIZE in Caffe's bbox_util
    """
    if not (boxes_cxcywh[..., 2:] > 0).all():
        raise ValueError("a box without area has no offsets; leave it out before encoding")
    scale = np.array(variances, np.float32)
    centre = (boxes_cxcywh[..., :2] - anchors[..., :2]) / (anchors[..., 2:] * scale[:2])
    size = np.log(boxes_cxcywh[..., 2:] / anchors[..., 2:]) / scale[2:]
    return np.concatenate([centre, size], axis=-1)


def decode(offsets: Boxes, anchors: Anchors, variances: Variances = VARIANCES) -> Boxes:
    """The boxes that offsets mean: the inverse of `encode`, nothing clipped.

    offsets, anchors  (..., 4) float32
    returns           (..., 4) float32 cx, cy, w, h in the anchors' unit
    """
    scaled = offsets * np.array(variances, np.float32)
    centre = anchors[..., :2] + scaled[..., :2] * anchors[..., 2:]
    size = anchors[..., 2:] * np.exp(np.minimum(scaled[..., 2:], np.float32(LARGEST_LOG)))
    return np.concatenate([centre, size], axis=-1)
