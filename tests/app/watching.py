"""A pipeline watched as a window would watch it, and a small engine that really finds something."""

import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import numpy as np
import trackers  # noqa: F401  warnings within it are errors if a test ends while a thread is loading it

from app.pipeline import LivePipeline, View
from app.recording.sidecar import Finder
from app.sources import Source, State
from detector.engines import FLOOR, Timing
from detector.nms import nms
from detector.values import Detections, Frame, LabelMap
from tests.app.videos import read_number

LABELS = LabelMap(("square", "number"))


class Permits(threading.Semaphore):
    """A gate that lets one detection through for each `release`."""

    def __init__(self) -> None:
        super().__init__(0)

    def wait(self, timeout: float) -> bool:
        return self.acquire(timeout=timeout)


class SquareFinder:
    """Finds the bright square of `videos.numbered_picture` (twice, the second a little off) and its number.

    gate  detection waits until it is open: a detector as slow as a test needs it
    """

    def __init__(self, gate: threading.Event | Permits | None = None) -> None:
        self.device = "test bench"
        self.timing = Timing()
        self.asked: list[tuple[int, float]] = []  # (sequence, nms_iou)
        self.closed = False
        self._gate = gate

    def detect(
        self,
        frames: Sequence[Frame],
        *,
        nms_iou: float | None = None,
        max_detections: int | None = None,
        floor: float = FLOOR,
    ) -> list[Detections]:
        assert nms_iou is not None
        self.asked += [(frame.sequence, nms_iou) for frame in frames]
        if self._gate:
            assert self._gate.wait(30)
        return [self._look(frame, nms_iou)[:max_detections] for frame in frames]

    def _look(self, frame: Frame, nms_iou: float) -> Detections:
        bright = np.argwhere((frame.pixels[..., 2] > 200) & (frame.pixels[..., 0] < 150))
        (y1, x1), (y2, x2) = bright.min(0), bright.max(0) + 1
        numbers = [0, 0, frame.width, frame.height // 3]
        boxes = np.float32([[x1, y1, x2, y2], [x1 + 2, y1, x2 + 2, y2], numbers])
        scores, class_ids = np.float32([0.9, 0.6, 0.3]), np.int32([0, 0, 1])
        kept = nms(boxes, scores, class_ids, nms_iou=nms_iou)
        return Detections(boxes[kept], scores[kept], class_ids[kept])

    def close(self) -> None:
        self.closed = True


class Watching:
    """A started pipeline; closed at the end of the block, which must take it less than 3 s."""

    def __init__(self, source: Source, **options: Any) -> None:
        self._changed = threading.Event()
        options.setdefault("finder", Finder(labels=LABELS))
        self.pipeline = LivePipeline(source, on_change=self._changed.set, **options)

    def __enter__(self) -> "Watching":
        self.pipeline.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.pipeline.close(3.0)

    def until(self, condition: Callable[[View], object], seconds: float = 60.0) -> View:
        """The first view that fulfils the condition; what changes is looked at, as a window does."""
        for _ in range(int(seconds / 0.05)):
            self._changed.clear()
            view = self.pipeline.latest()
            if condition(view):
                return view
            self._changed.wait(0.05)
        raise AssertionError(f"did not happen within {seconds:g} s; now: {view}")


def number(view: View) -> int:
    """Of the frame in view, -1 before the first."""
    return read_number(view.frame.pixels) if view.frame else -1


def seen(view: View, name: str) -> bool:
    """Whether the source is in the state of that name."""
    return view.status.state is State[name]
