"""One source watched live: capture, detection and painting, each at its own rate, none waiting."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from app.pipeline.choice import Choice
from app.pipeline.figures import Figures, Measure
from app.pipeline.playback import Playback
from app.redaction import redact
from app.sources import Source, State, Status
from detector.errors import StudioError
from detector.values import Detections, Frame

logger = logging.getLogger(__name__)


class Engine(Protocol):
    """What runs a network (see `detector.engines`)."""

    @property
    def device(self) -> str: ...

    def detect(
        self, frames: Sequence[Frame], *, nms_iou: float | None, max_detections: int | None, floor: float
    ) -> list[Detections]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything a painter needs at one moment.

    frame       newest; None before the first
    detections  newest that fit the frame, as chosen
    own_boxes   whether they were computed on this very frame
    status      of the source; STALLED when a live source has been silent
    silent_for  seconds since the last frame of a live source; 0 for files
    detector    how the detector is doing, in one sentence; empty when all is well
    """

    frame: Frame | None
    detections: Detections
    own_boxes: bool
    status: Status
    silent_for: float
    detector: str
    figures: Figures
    paused: bool
    speed: float
    seekable: bool
    duration: float | None


@dataclass(frozen=True, slots=True)
class _Result:
    frame: Frame
    epoch: int
    detections: Detections
    choice: Choice


class LivePipeline:
    """Watches one source.

    open_engine  called in the detector thread, however long it takes; None: no detection
    on_change    called from worker threads when `latest` has something new, once until `latest` is called
    """

    def __init__(
        self,
        source: Source,
        *,
        open_engine: Callable[[], Engine] | None = None,
        choice: Choice | None = None,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self.source = source
        self._open_engine = open_engine
        self._choice = choice or Choice()
        self._on_change = on_change
        self._playback = Playback()
        self._measure = Measure()
        self._news = threading.Condition()  # guards what follows
        self._frame: Frame | None = None
        self._published = 0  # frames put into `_frame` so far
        self._epoch = 0  # counts cuts in time: boxes from before one do not fit a frame after it
        self._status = Status(State.CONNECTING, f"Opening {source.name}", made_at=time.monotonic())
        self._result: _Result | None = None
        self._detector = "" if open_engine is None else "Loading the model"
        self._device = ""
        self._told = False
        self._closing = False
        # daemons: an open of a silent host can outlast `close`, and must not keep the program from ending
        self._threads = [
            threading.Thread(target=self._capture, name=f"capture {source.name}", daemon=True),
            threading.Thread(target=self._detect, name=f"detect {source.name}", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self, timeout: float = 3.0) -> bool:
        """Ends everything. False when a thread is still caught in an open that cannot be interrupted."""
        deadline = time.monotonic() + timeout
        with self._news:
            self._closing = True
            self._news.notify_all()
        self._playback.close()
        self.source.stop()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    # Asked by the window.

    def latest(self) -> View:
        """The newest frame with the newest boxes, and how things are."""
        now = time.monotonic()
        with self._news:
            self._told = False
            frame, result, choice = self._frame, self._fitting_result(), self._choice
            status, detector, device = self._status, self._detector, self._device
        return View(
            frame=frame,
            detections=choice.of(result.detections) if result else Detections.empty(),
            own_boxes=bool(result and frame and result.frame.sequence == frame.sequence),
            status=status,
            silent_for=now - frame.captured_at if frame and self.source.live else 0.0,
            detector=detector,
            figures=self._measure.figures(now, device),
            paused=self._playback.paused,
            speed=self._playback.speed,
            seekable=self.source.seekable,
            duration=self.source.duration,
        )

    def mark_shown(self, sequence: int) -> None:
        """This frame has just been painted."""
        with self._news:
            result = self._fitting_result()
        self._measure.shown(sequence, time.monotonic(), result.frame.captured_at if result else None)

    def choose(self, choice: Choice) -> None:
        """Acts at once, also while paused."""
        with self._news:
            self._choice = choice
            self._news.notify_all()
        self._tell()

    def set_paused(self, paused: bool) -> None:
        """A paused live source goes on being read; only the view stands still."""
        self._playback.set_paused(paused)
        self._tell()

    def step(self, frames: int) -> None:
        """One frame forward (1) or back (-1), for files; pauses."""
        if not self.source.live and (frames > 0 or self.source.seekable):
            self._playback.step(frames)

    def seek(self, seconds: float) -> None:
        """To a time, for files; shown at once, also while paused."""
        if self.source.seekable:
            self._playback.seek(seconds)

    def set_speed(self, speed: float) -> None:
        """Times the file's own speed, 0.1 to 16."""
        self._playback.set_speed(speed)
        self._tell()

    def try_now(self) -> None:
        """Do not wait for the countdown."""
        self.source.try_now()

    # The capture thread.

    def _capture(self) -> None:
        try:
            while not self._playback.is_closing():
                for item in self.source:
                    self._take(item)
                    if jump := self._playback.take_jump():
                        self._jump(jump.seconds, jump.before)
                    if self._playback.is_closing():
                        return
                jump = self._playback.wait_for_jump()
                if jump is not None:
                    self._jump(jump.seconds, jump.before)
        except Exception as error:  # the thread's top: it becomes a state
            logger.exception("capture of %s ended", self.source.name)
            sentence = f"{self.source.name}: {type(error).__name__} while reading"
            self._set_status(Status(State.FAILED, sentence))

    def _take(self, item: Frame | Status) -> None:
        if isinstance(item, Status):
            self._set_status(item)
        elif self.source.live:
            self._measure.captured(item)
            if not self._playback.paused:
                self._publish(item)
        elif self._playback.let_through(item.pts):
            frame = replace(item, captured_at=time.monotonic())  # it came ahead of its time
            self._measure.captured(frame)
            self._publish(frame)

    def _jump(self, seconds: float, before: bool) -> None:
        self._measure.interrupted()
        with self._news:
            self._epoch += 1
        if self.source.seekable:
            self.source.seek(seconds, before=before)

    def _publish(self, frame: Frame) -> None:
        with self._news:
            self._frame = frame
            self._published += 1
            self._news.notify_all()
        self._tell()

    def _set_status(self, status: Status) -> None:
        logger.info("%s: %s", status.state.value, status.sentence)
        with self._news:
            self._status = status
            if status.state is not State.LIVE:
                self._epoch += 1
        self._tell()

    # The detector thread.

    def _detect(self) -> None:
        if self._open_engine is None:
            return
        try:
            engine = self._open_engine()
        except Exception as error:  # noqa: BLE001 - the thread's top: it becomes a sentence, the video goes on
            self._detector_failed("The model cannot be used", error)
            return
        try:
            with self._news:
                self._detector, self._device = "", engine.device
            self._tell()
            self._detect_newest(engine)
        except Exception as error:  # noqa: BLE001 - as above
            self._detector_failed("Detection has stopped", error)
        finally:
            engine.close()

    def _detect_newest(self, engine: Engine) -> None:
        taken, asked = 0, _asked(self._choice)
        while True:
            with self._news:
                while not self._closing and (self._published, _asked(self._choice)) == (taken, asked):
                    self._news.wait()
                if self._closing or self._frame is None:
                    return
                frame, choice, epoch, published = self._frame, self._choice, self._epoch, self._published
            left_out = max(0, published - taken - 1) if taken else 0
            taken, asked = published, _asked(choice)
            began = time.monotonic()
            (detections,) = engine.detect(
                [frame], nms_iou=choice.nms_iou, max_detections=choice.max_detections, floor=choice.floor
            )
            now = time.monotonic()
            self._measure.detected(frame.sequence, now - began, now, left_out=left_out)
            with self._news:
                self._result = _Result(frame, epoch, detections, choice)
            self._tell()

    def _detector_failed(self, what: str, error: Exception) -> None:
        if not isinstance(error, StudioError):
            logger.error("%s", what, exc_info=error)
        reason = str(error) if isinstance(error, StudioError) else type(error).__name__
        with self._news:
            self._detector = redact(f"{what}: {reason}")
            self._device = ""
        self._tell()

    def _fitting_result(self) -> _Result | None:
        """The newest boxes, when they belong to what is shown; `_news` is held."""
        result, frame = self._result, self._frame
        if result is None or frame is None or result.epoch != self._epoch:
            return None
        same = (frame.source, frame.pixels.shape) == (result.frame.source, result.frame.pixels.shape)
        return result if same else None

    def _tell(self) -> None:
        with self._news:
            if self._told or self._on_change is None:
                return
            self._told = True
        self._on_change()


def _asked(choice: Choice) -> tuple[float, int, float]:
    """What of a choice the engine is asked; the rest only filters."""
    return (choice.nms_iou, choice.max_detections, choice.floor)
