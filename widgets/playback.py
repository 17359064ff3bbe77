"""What the keys and buttons of a player do to the pipeline."""

from collections.abc import Callable

from PyQt5.QtCore import QObject

from app.pipeline import LivePipeline
from app.sources import State

SPEEDS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 4.0, 8.0, 16.0)
_JUST = 1e-6


class Playback(QObject):
    """Methods of the table of actions; without a source they do nothing.

    pipeline  the one that is watched now
    """

    def __init__(self, pipeline: Callable[[], LivePipeline | None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.pipeline = self._pipeline = pipeline

    def toggle_pause(self) -> None:
        """Play or pause; at the end of a file, from the beginning."""
        if pipeline := self._pipeline():
            view = pipeline.latest()
            if view.status.state is State.ENDED and view.seekable:
                pipeline.seek(0.0)
                pipeline.set_paused(False)
            else:
                pipeline.set_paused(not view.paused)

    def step_forward(self) -> None:
        self._step(1)

    def step_back(self) -> None:
        self._step(-1)

    def seek_forward(self) -> None:
        self._seek_by(5.0)

    def seek_back(self) -> None:
        self._seek_by(-5.0)

    def seek_forward_short(self) -> None:
        self._seek_by(1.0)

    def seek_back_short(self) -> None:
        self._seek_by(-1.0)

    def seek_forward_long(self) -> None:
        self._seek_by(60.0)

    def seek_back_long(self) -> None:
        self._seek_by(-60.0)

    def seek_start(self) -> None:
        self.seek(0.0)

    def seek(self, seconds: float) -> None:
        if pipeline := self._pipeline():
            pipeline.seek(max(seconds, 0.0))

    def faster(self) -> None:
        if pipeline := self._pipeline():
            now = pipeline.latest().speed + _JUST
            pipeline.set_speed(next((speed for speed in SPEEDS if speed > now), SPEEDS[-1]))

    def slower(self) -> None:
        if pipeline := self._pipeline():
            now = pipeline.latest().speed - _JUST
            pipeline.set_speed(next((speed for speed in reversed(SPEEDS) if speed < now), SPEEDS[0]))

    def normal_speed(self) -> None:
        self.set_speed(1.0)

    def set_speed(self, speed: float) -> None:
        if pipeline := self._pipeline():
            pipeline.set_speed(speed)

    def try_now(self) -> None:
        if pipeline := self._pipeline():
            pipeline.try_now()

    def _step(self, frames: int) -> None:
        if pipeline := self._pipeline():
            pipeline.step(frames)

    def _seek_by(self, seconds: float) -> None:
        if (pipeline := self._pipeline()) and (frame := pipeline.latest().frame):
            end = pipeline.source.duration
            target = max(frame.pts + seconds, 0.0)
            pipeline.seek(min(target, end) if end else target)
