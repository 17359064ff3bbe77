"""What the person chose to see of what the detector finds."""

from dataclasses import dataclass

from detector.engines import FLOOR
from detector.values import Detections


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Each can be changed at any time.

    min_score, class_ids and max_detections (in this order) only filter what was found and cost nothing;
    nms_iou and a min_score under the floor are asked of the engine, about the frame shown now.
    """

    min_score: float = 0.5
    nms_iou: float = 0.45  # SSD paper, inference
    max_detections: int = 200
    class_ids: frozenset[int] | None = None  # None: all

    @property
    def floor(self) -> float:
        """The lowest score asked of the engine."""
        return min(FLOOR, self.min_score)

    def of(self, detections: Detections) -> Detections:
        """What of these is to be seen."""
        seen = detections.above(self.min_score)
        if self.class_ids is not None:
            seen = seen.of_classes(self.class_ids)
        return seen[: self.max_detections]
