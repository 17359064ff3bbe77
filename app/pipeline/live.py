"""One source watched live: capture, detection, painting, each at its own pace, none waiting for another."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from app.blur import Blur
from app.pipeline.choice import Choice
from app.pipeline.detecting import Detecting, Listener
from app.pipeline.figures import Figures, Measure
from app.pipeline.mailbox import Mailbox, News
from app.pipeline.playback import Playback
from app.pipeline.recorder.backlog import Backlog
from app.pipeline.recorder.live_recording import LiveRecording, names_after
from app.pipeline.recorder.recording_state import RecordingState
from app.pipeline.shared_engine import DetectorState, DetectorStatus, OpenEngine, SharedEngine
from app.recording import check_target
from app.recording.plan import RecordingPlan
from app.recording.sidecar import Finder
from app.sources import Packet, Source, State, Status, StreamFormat
from detector.errors import RecordingError
from detector.values import Detections, Frame, LabelMap

logger = logging.getLogger(__name__)

_STALLED = 1.0  # seconds without a picture, or five usual intervals where pictures come more slowly


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything a painter needs at one moment.

    frame       newest; None before the first
    detections  newest that fit the frame, as chosen
    own_boxes   whether they were computed on this very frame; else they were carried to it
    found_on    the picture they were computed on; None without any
    status      of the source; STALLED when a live source has been silent
    silent_for  seconds since the last picture of a live source; 0 for files
    recording   the newest recording, running or finished; None before the first
    """

    frame: Frame | None
    detections: Detections
    own_boxes: bool
    found_on: Frame | None
    status: Status
    silent_for: float
    detector: DetectorStatus
    figures: Figures
    recording: RecordingState | None
    paused: bool
    speed: float
    seekable: bool
    duration: float | None


class LivePipeline:
    """Watches one source.

    engine       shared with other sources; whoever made it closes it
    open_engine  for an engine of its own, instead: called in that engine's thread, however long it takes;
                 None: no detection
    finder       who finds the boxes: names for recordings; `use_engine` brings another
    blur         makes some classes unrecognisable in all that is shown or written
    on_change    called from worker threads when `latest` has something new, once until `latest` is called
    """

    def __init__(
        self,
        source: Source,
        *,
        engine: SharedEngine | None = None,
        open_engine: OpenEngine | None = None,
        choice: Choice | None = None,
        finder: Finder | None = None,
        blur: Blur | None = None,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self.source = source
        self.finder = finder or Finder(labels=LabelMap(()))
        self._blur = blur
        self._backlog, self._coded = Backlog(), threading.Lock()
        source.packets = self._take_coded
        self._news = News(on_change)
        self._measure = Measure()
        self._playback = Playback()
        self._engine = engine or SharedEngine(open_engine)
        self._owns_engine = engine is None
        self._mailbox = Mailbox(self._engine.changed)
        self._detecting = Detecting(
            self._engine, self._mailbox, self._measure, self._news, choice=choice or Choice()
        )
        self._status = Status(State.CONNECTING, f"Opening {source.name}", made_at=time.monotonic())
        self._logged: tuple[State, str] | None = None
        self._recording: LiveRecording | None = None
        # a daemon: an open of a silent host can outlast `close`, and must not keep the program from ending
        self._capturing = threading.Thread(target=self._capture, name=f"capture {source.name}", daemon=True)

    def start(self) -> None:
        self._engine.join(self._detecting)
        self._engine.start()
        self._capturing.start()

    def close(self, timeout: float = 3.0) -> bool:
        """Ends everything. False when a thread is still caught in something that cannot be interrupted."""
        deadline = time.monotonic() + timeout
        self.source.stop()
        self._playback.close()
        self._engine.leave(self._detecting)
        if self._owns_engine:
            self._engine.close(timeout=0.0)  # told; waited for below
        if recording := self._recording:
            recording.finish()
        if self._capturing.ident is not None:
            self._capturing.join(max(0.0, deadline - time.monotonic()))
        finished = recording is None or recording.join(max(0.0, deadline - time.monotonic()))
        if self._owns_engine:
            finished &= self._engine.close(max(0.0, deadline - time.monotonic()))
        return finished and not self._capturing.is_alive()

    # What is to be seen.

    def latest(self) -> View:
        """The newest frame with the newest boxes, and how things are."""
        self._news.looked()
        now = time.monotonic()
        entry = self._detecting.held or self._mailbox.newest()
        found = self._detecting.found_for(entry)
        silent_for, interval = self._measure.silence(now) if self.source.live else (0.0, 0.0)
        status, recording = self._status, self._recording.state if self._recording else None
        if recording:
            self._measure.written(recording.frames, now)
        if status.state is State.LIVE and silent_for > max(_STALLED, 5 * interval):
            sentence = f"{self.source.name} sends no pictures"
            status = Status(State.STALLED, sentence, made_at=now - silent_for)
        return View(
            frame=entry.seen if entry else None,
            detections=self._detecting.choice.of(found.detections) if found else Detections.empty(),
            own_boxes=bool(found and entry and found.entry.number == entry.number),
            found_on=found.entry.seen if found else None,
            status=status,
            silent_for=silent_for,
            detector=self._engine.status,
            figures=self._measure.figures(now),
            recording=recording,
            paused=self._playback.paused,
            speed=self._playback.speed,
            seekable=self.source.seekable,
            duration=self.source.duration,
        )

    def mark_shown(self, sequence: int) -> None:
        """This frame has just been painted."""
        found = self._detecting.found_for(self._detecting.held or self._mailbox.newest())
        self._measure.shown(sequence, time.monotonic(), found.entry.frame.captured_at if found else None)

    # What the person wants.

    def choose(self, choice: Choice) -> None:
        """Acts at once, also while paused."""
        self._detecting.choose(choice)
        self._news.tell()

    def use_engine(self, open_engine: OpenEngine, *, finder: Finder | None = None) -> None:
        """Another model, for all sources of this engine; the video goes on while it loads.

        finder  the model, for what is recorded of this source
        """
        self._engine.use(open_engine)  # from here on there are no boxes that the new names would not fit
        self.finder = finder or self.finder
        self._news.tell()

    def set_paused(self, paused: bool) -> None:
        """A paused live source goes on being read and recorded; only the view stands still."""
        self._playback.set_paused(paused)
        if self.source.live:
            self._detecting.hold(self._mailbox.newest() if paused else None)
        else:
            self._measure.interrupted()
        self._news.tell()

    def step(self, frames: int) -> None:
        """One frame forward (1) or back (-1), for files; pauses."""
        if not self.source.live and (frames > 0 or self.source.seekable):
            self._playback.step(frames)
            self._measure.interrupted()
            self._news.tell()

    def seek(self, seconds: float) -> None:
        """To a time, for files; shown at once, also while paused."""
        if self.source.seekable:
            self._playback.seek(seconds)

    def set_speed(self, speed: float) -> None:
        """Times the file's own speed, 0.1 to 16."""
        self._playback.set_speed(speed)
        self._news.tell()

    def listen(self, listener: Listener) -> None:
        """See `Detecting.listen`."""
        self._detecting.listen(listener)

    def try_now(self) -> None:
        """Do not wait for the countdown."""
        self.source.try_now()

    def start_recording(self, path: Path, *, plan: RecordingPlan | None = None) -> None:
        """Every captured frame from now on, or from the next event, in OUT.mp4, OUT-2.mp4 and so on.

        raises  RecordingError when it cannot be written there, or when a recording runs
        """
        plan = plan or RecordingPlan()
        check_target(path, force=plan.force)
        self.start_recording_as(names_after(path), path.parent, plan=plan)

    def start_recording_as(self, names: Iterator[Path], folder: Path, *, plan: RecordingPlan) -> None:
        """Likewise, in clips of these names, which are all in `folder`."""
        if self._recording and self._recording.state.running:
            name = path.name if (path := self._recording.state.path) else "An event to come"
            raise RecordingError(f"{name} is being recorded; stop that first.")
        recording = LiveRecording(
            names,
            folder,
            plan,
            source=self.source,
            copies=self._blur is None,
            patient=not self.source.live,
            measure=self._measure,
            news=self._news,
        )
        with self._coded:  # no packet may fall between the backlog and the recording
            for item in self._backlog.items():
                recording.offer_coded(item)
            self._recording = recording
        self._news.tell()

    def trigger_recording(self, event: object = None) -> None:
        """Something has happened that a recording waits for; from any thread, and waits for nothing."""
        if self._recording:
            self._recording.trigger(event)

    def stop_recording(self) -> None:
        """Returns at once; `View.recording` says when the file is finished."""
        if self._recording:
            self._recording.finish()

    # The capture thread.

    def _capture(self) -> None:
        try:
            while not self._playback.is_closing():
                for item in self.source:
                    self._take(item)
                    self._make_jump()
                    if self._playback.is_closing():
                        return
                self._playback.wait_for_jump()
                self._make_jump()
        except Exception as error:  # the thread's top: it becomes a state
            logger.exception("capture of %s ended", self.source.name)
            sentence = f"{self.source.name}: {type(error).__name__} while reading; the log says more"
            self._set_status(Status(State.FAILED, sentence))

    def _take(self, item: Frame | Status) -> None:
        if isinstance(item, Status):
            self._set_status(item)
        elif self.source.live:
            self._measure.captured(item)
            self._publish(item)
        elif self._playback.let_through(item.pts):
            frame = replace(item, captured_at=time.monotonic())  # it came ahead of its time
            self._measure.captured(frame)
            self._publish(frame)

    def _make_jump(self) -> None:
        if (jump := self._playback.take_jump()) and self.source.seekable:
            self._measure.interrupted()
            self._mailbox.cut()
            self.source.seek(jump.seconds, before=jump.before)

    def _publish(self, frame: Frame) -> None:
        finder = self.finder  # before the boxes: they are gone before the names change
        entry = self._mailbox.entry_for(frame)
        if self._engine.status.state is not DetectorState.OFF:
            self._detecting.saw(entry)
        found = self._detecting.found_for(entry)
        if self._blur:
            known = found.detections if found else None
            age = frame.captured_at - found.entry.frame.captured_at if found else 0.0
            entry = replace(entry, seen=self._blur.apply(frame, known, finder.labels, age=age))
        self._mailbox.put(entry)
        if recording := self._recording:
            every, choice = found.detections if found else None, self._detecting.choice
            finder = replace(finder, min_score=choice.min_score, nms_iou=choice.nms_iou)
            shown = Detections.empty() if every is None else choice.of(every)
            recording.offer(entry, shown, every, finder)
        self._news.tell()

    def _take_coded(self, item: StreamFormat | Packet) -> None:
        with self._coded:
            self._backlog.add(item)
            if recording := self._recording:
                recording.offer_coded(item)

    def _set_status(self, status: Status) -> None:
        spoken = (status.state, status.sentence)
        if status.state is not State.CONNECTING and spoken != self._logged:  # not each attempt for weeks
            logger.info("%s: %s", status.state.value, status.sentence)
            self._logged = spoken
        if status.state is not State.LIVE:
            self._mailbox.cut()
        self._status = status
        self._news.tell()
