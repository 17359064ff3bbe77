"""A sheet of validation pictures with what a network finds on them, beside what is there."""

from collections.abc import Sequence

import cv2
import numpy as np
from imutils import build_montages

from detector.pictures import read_picture
from detector.values import Detections, LabelMap, Pixels
from trainer.datasets import Example

_PICTURES = 12
_TILE = (320, 240)  # width, height
_TRUTH, _FOUND = (255, 255, 255), (60, 60, 255)  # blue, green, red


def sheet_of(
    examples: Sequence[Example],
    detections: Sequence[Detections],
    labels: LabelMap,
    *,
    min_score: float,
) -> bytes:
    """A JPEG: objects in white, what is found at this score or above in red."""
    tiles = [
        _drawn(read_picture(example.path), example, found.above(min_score), labels)
        for example, found in zip(examples[:_PICTURES], detections)
    ]
    columns = min(4, len(tiles))
    (sheet,) = build_montages(tiles, _TILE, (columns, -(-len(tiles) // columns)))
    return cv2.imencode(".jpg", sheet)[1].tobytes()


def _drawn(pixels: Pixels, example: Example, found: Detections, labels: LabelMap) -> Pixels:
    pixels = np.array(pixels)
    thick = max(1, max(pixels.shape[:2]) // 300)
    for x1, y1, x2, y2 in example.boxes.astype(int):
        cv2.rectangle(pixels, (x1, y1), (x2, y2), _TRUTH, thick)
    for box, score, class_id in zip(found.boxes.astype(int), found.scores, found.class_ids):
        x1, y1, x2, y2 = box.tolist()
        cv2.rectangle(pixels, (x1, y1), (x2, y2), _FOUND, thick)
        text = f"{labels[int(class_id)]} {score:.2f}"
        place = (x1 + 2 * thick, max(y1 + 14 * thick, 14 * thick))
        cv2.putText(pixels, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45 * thick, _FOUND, thick, cv2.LINE_AA)
    return pixels
