"""The one thing all engines are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from detector.values import Detections, Frame

FLOOR = 0.05  # live; evaluation asks for 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Where the time of one call went, milliseconds over all its frames.

    resize_ms     frames to the network's input
    network_ms    waiting for the network; with NMS where that is in the graph
    selection_ms  from raw answers to detections
    """

    resize_ms: float = 0.0
    network_ms: float = 0.0
    selection_ms: float = 0.0


class Engine(Protocol):
    """Runs one model. For one thread at a time."""

    @property
    def device(self) -> str:
        """What really runs, in words: "OpenVINO CPU bfloat16"."""

    @property
    def timing(self) -> Timing:
        """Of the last call of `detect`."""

    def detect(
        self,
        frames: Sequence[Frame],
        *,
        nms_iou: float | None = None,
        max_detections: int | None = None,
        floor: float = FLOOR,
    ) -> list[Detections]:
        """What each frame holds, frames of any size.

        nms_iou, max_detections  None: as the model's card says
        floor                    scores must be above it
        returns                  one for each frame: boxes in its pixels, cut at its edges; anchor ids filled
        """

    def close(self) -> None:
        """Gives back what it holds; it cannot be used after that."""
