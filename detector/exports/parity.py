"""Whether an exported file answers as the model does."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.boxes import iou_matrix
from detector.exports.formats import Arrays

# The same arithmetic in float32, in another order: what is kept by a hair may be dropped there.
_SAME_PLACE = 0.99  # IoU
_SCORE_TOLERANCE, _BOX_TOLERANCE = 1e-3, 1e-3  # of 1; fractions of the picture
_LEAST_FOUND = 0.99  # of all detections


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """What an exported file found on some frames, beside what the model finds in this program.

    detections        the model's, of all frames
    found             share of them that the file finds too: same class, same place
    score_difference  the largest of those found
    box_difference    the largest of those found, fractions of the picture
    """

    frames: int
    detections: int
    found: float
    score_difference: float
    box_difference: float

    @property
    def holds(self) -> bool:
        return (
            self.detections > 0
            and self.found >= _LEAST_FOUND
            and self.score_difference <= _SCORE_TOLERANCE
            and self.box_difference <= _BOX_TOLERANCE
        )

    def __str__(self) -> str:
        return (
            f"{100 * self.found:.2f} % of {self.detections} detections on {self.frames} frames found again; "
            f"scores differ by {self.score_difference:.1e} at most, boxes by {self.box_difference:.1e}"
        )


def compare(expected: Sequence[Arrays], got: Sequence[Arrays]) -> Parity:
    """Both as `detecting_module` gives them, one for each frame."""
    there, scores, boxes = 0, [0.0], [0.0]
    for one, other in zip(expected, got):
        best = _partners(one, other)
        for row, partner in enumerate(best):
            if partner >= 0:
                there += 1
                scores.append(float(abs(one["scores"][row] - other["scores"][partner])))
                boxes.append(float(np.abs(one["boxes"][row] - other["boxes"][partner]).max()))
    detections = sum(int(each["count"]) for each in expected)
    return Parity(
        frames=len(expected),
        detections=detections,
        found=there / detections if detections else 0.0,
        score_difference=max(scores),
        box_difference=max(boxes),
    )


def _partners(one: Arrays, other: Arrays) -> list[int]:
    """For each detection of one the other's of its class at its place; -1: there is none."""
    mine, theirs = int(one["count"]), int(other["count"])
    if not theirs:
        return [-1] * mine
    overlaps = iou_matrix(one["boxes"][:mine], other["boxes"][:theirs])
    overlaps[one["class_ids"][:mine, None] != other["class_ids"][None, :theirs]] = 0
    best = overlaps.argmax(axis=1)
    return [int(each) if overlaps[row, each] >= _SAME_PLACE else -1 for row, each in enumerate(best)]
