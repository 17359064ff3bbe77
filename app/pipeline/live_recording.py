"""The recorder's thread: it draws the boxes, encodes, and never holds up a live source."""

import logging
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.overlay import draw
from app.pipeline.figures import Measure
from app.pipeline.mailbox import Entry, News
from app.recording import Recorder, RecordingResult, check_target
from app.sources import Source
from detector.errors import RecordingError
from detector.values import Detections, Frame, LabelMap

logger = logging.getLogger(__name__)

_QUEUE_BYTES = 200_000_000
_QUEUE_FRAMES = 50  # two seconds of a usual camera


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingState:
    """How a recording is doing.

    path      as asked for; after a change of size the following files are NAME-2.mp4 and so on
    running   False once everything is on the disk, or it failed
    frames    written so far
    seconds   their duration
    files     finished, re-opened and counted
    failure   why it ended early, in one sentence; empty when all is well
    """

    path: Path
    running: bool
    frames: int = 0
    seconds: float = 0.0
    files: tuple[RecordingResult, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Shot:
    frame: Frame
    detections: Detections
    labels: LabelMap
    cut: bool  # time does not run on from the frame before
    resized: bool


class LiveRecording:
    """One recording from its start to its last file.

    labels  names of the classes now; another model brings others
    source  of the frames; it need not be open yet. Where it is live, a frame that finds the queue full is
            dropped and counted; else it waits
    raises  RecordingError when it cannot be written there
    """

    def __init__(
        self,
        path: Path,
        *,
        labels: LabelMap,
        source: Source,
        force: bool,
        measure: Measure,
        news: News,
    ) -> None:
        check_target(path, force=force)
        self._path, self._force = path, force
        self.labels = labels
        self._source = source
        self._measure, self._news = measure, news
        self._last: Entry | None = None  # queued; known to the capture thread only
        self._changed = threading.Condition()  # guards what follows
        self._queue: deque[_Shot] = deque()
        self._finishing = False
        self._running = True
        self._frames, self._seconds = 0, 0.0
        self._files: list[RecordingResult] = []
        self._failure = ""
        # a daemon: what is being written plays as it is, should the program have to end before it is finished
        self._thread = threading.Thread(target=self._run, name=f"record {path.name}", daemon=True)
        self._thread.start()

    @property
    def state(self) -> RecordingState:
        with self._changed:
            return RecordingState(
                path=self._path,
                running=self._running,
                frames=self._frames,
                seconds=self._seconds,
                files=tuple(self._files),
                failure=self._failure,
            )

    def offer(self, entry: Entry, detections: Detections, labels: LabelMap) -> None:
        """A captured frame with its boxes and their names."""
        frame, before = entry.frame, self._last
        shot = _Shot(
            frame,
            detections,
            labels,
            cut=before is not None and before.epoch != entry.epoch,
            resized=before is not None and before.frame.pixels.shape != frame.pixels.shape,
        )
        most = max(4, min(_QUEUE_FRAMES, _QUEUE_BYTES // frame.pixels.nbytes))
        with self._changed:
            if not self._source.live:
                self._changed.wait_for(
                    lambda: len(self._queue) < most or self._finishing or not self._running
                )
            if self._finishing or not self._running:
                return
            if len(self._queue) >= most:
                self._measure.unrecorded()
                return
            self._queue.append(shot)
            self._last = entry
            self._changed.notify_all()

    def finish(self) -> None:
        """No frame follows. What was offered is still written, in the recorder's own time."""
        with self._changed:
            self._finishing = True
            self._changed.notify_all()

    def join(self, timeout: float) -> bool:
        """Whether it was finished within that time."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._write_all()
        except RecordingError as error:
            self._failed(str(error))
        except Exception as error:  # the thread's top: it becomes a sentence
            logger.exception("recording %s failed", self._path)
            self._failed(f"Recording {self._path} failed ({type(error).__name__}); the log says more.")
        finally:
            with self._changed:
                self._running = False
                self._queue.clear()
                self._changed.notify_all()
            self._news.tell()

    def _write_all(self) -> None:
        recorder: Recorder | None = None
        names = _names(self._path)
        clock = _Clock(self._source)
        try:
            for shot in self._shots():
                frame = shot.frame
                if recorder is None or shot.resized:
                    if recorder is not None:
                        self._finish(recorder)
                    recorder = Recorder(
                        next(names), frame.height, frame.width, self._source.rate, force=self._force
                    )
                seconds = clock.seconds(frame.pts, cut=shot.cut)
                recorder.write(draw(frame.pixels, shot.detections, shot.labels), seconds)
                with self._changed:
                    self._frames += 1
                    self._seconds = seconds
        finally:
            if recorder is not None:
                self._finish(recorder)

    def _shots(self) -> Iterator[_Shot]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._finishing)
                if not self._queue:
                    return
                shot = self._queue.popleft()
                self._changed.notify_all()
            yield shot

    def _finish(self, recorder: Recorder) -> None:
        result = recorder.close()
        with self._changed:
            self._files.append(result)

    def _failed(self, sentence: str) -> None:
        with self._changed:
            self._failure = sentence


class _Clock:
    """The times of a recording: without gaps where a file was sought in, as they are for a camera."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._seconds = 0.0
        self._last: float | None = None

    def seconds(self, pts: float, *, cut: bool) -> float:
        if self._last is not None:
            step = pts - self._last
            if step <= 0 or (cut and not self._source.live):
                step = 1 / self._source.rate if self._source.rate else 0.04
            self._seconds += step
        self._last = pts
        return self._seconds


def _names(path: Path) -> Iterator[Path]:
    """OUT.mp4, then OUT-2.mp4, OUT-3.mp4, as far as these are free."""
    yield path
    number = 2
    while True:
        following = path.with_stem(f"{path.stem}-{number}")
        if not following.exists():
            yield following
        number += 1
