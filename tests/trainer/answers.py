"""Labelled pictures and detections out of a few numbers, for the tests of evaluation."""

from pathlib import Path

import numpy as np

from detector.values import Detections
from trainer.datasets import Example


def example(boxes, class_ids, difficult=None, crowd=None) -> Example:
    boxes = np.float32(boxes).reshape(-1, 4)
    n = len(boxes)
    flags = np.zeros(n, bool)
    return Example(
        Path("picture.jpg"), 320, 320, boxes, np.int32(class_ids).reshape(n),
        flags if difficult is None else np.array(difficult, bool), flags.copy(),
        flags.copy() if crowd is None else np.array(crowd, bool), (boxes[:, 2:] - boxes[:, :2]).prod(1),
    )  # fmt: skip


def found(boxes, scores, class_ids) -> Detections:
    order = np.argsort(-np.float32(scores), kind="stable")
    return Detections(
        np.float32(boxes).reshape(-1, 4)[order], np.float32(scores)[order], np.int32(class_ids)[order]
    )
