"""What moved where between two pictures, and boxes that move along. Pure functions but for a scratch pad."""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.values import Boxes, Pixels

Gray: TypeAlias = NDArray[np.uint8]  # (height, width), small
Field: TypeAlias = NDArray[np.float32]  # (height, width, 2): x and y steps of each pixel of a Gray

# Sides of a Gray, pixels. At 160 fast small objects get lost; 320 costs twice the 0.3 ms of a field.
_LONGER = 256
# OpenCV's search begins with patches of 8 pixels at a sixteenth of 256, whatever the other side: a Gray of
# 256x24 crashed the process. So flat pictures are stretched.
_SHORTEST = 128
_SIDE = 7  # samples across a box
_INNER = 0.9  # of a box is looked at: its rim shows what is behind the object
_STEPS = (np.arange(_SIDE, dtype=np.float32) + 0.5) / _SIDE * _INNER + (1 - _INNER) / 2
_SAMPLES = np.stack([axis.ravel() for axis in np.meshgrid(_STEPS, _STEPS)], axis=-1)  # of the unit square


def small_gray(pixels: Pixels) -> Gray:
    """A picture to look for motion in; 0.2 ms."""
    height, width = pixels.shape[:2]
    scale = _LONGER / max(height, width)
    size = max(_SHORTEST, round(width * scale)), max(_SHORTEST, round(height * scale))
    # Averaging all pixels costs four to ten times as much, and boxes were carried no better.
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)


class FieldFinder:
    """Finds the motion between two pictures by dense inverse search (Kroeger et al., ECCV 2016).

    Keeps what OpenCV needs to compute in: for one thread at a time.
    """

    def __init__(self) -> None:
        self._search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)

    def field(self, before: Gray, after: Gray) -> Field:
        """Where each pixel of `before` is in `after`, as steps in their pixels; both of one size."""
        found = self._search.calc(before, after, None)  # type: ignore[call-overload]  # None: a new array
        return np.asarray(found, np.float32)


def moved(boxes: Boxes, field: Field, frame_size: tuple[int, int]) -> Boxes:
    """The boxes one frame later: each goes with the median motion of what is in it.

    boxes       (n, 4) float32, pixels of the frame; parts outside the frame are no matter
    frame_size  height, width
    returns     (n, 4) float32, of the same sizes
    """
    if not len(boxes):
        return boxes
    height, width = field.shape[:2]
    scale = np.array([width / frame_size[1], height / frame_size[0]], np.float32)
    corner, size = boxes[:, None, :2], boxes[:, None, 2:] - boxes[:, None, :2]
    at = (scale * (corner + _SAMPLES * size)).astype(np.int32)  # (n, samples, 2)
    x, y = np.clip(at[..., 0], 0, width - 1), np.clip(at[..., 1], 0, height - 1)
    step = np.median(field[y, x], axis=1) / scale  # (n, 2)
    return np.asarray(boxes + np.tile(step, 2), np.float32)
