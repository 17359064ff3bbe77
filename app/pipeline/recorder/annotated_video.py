"""What was looked at, with its boxes drawn in, as a recording: a place for the frames of a batch."""

import math
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path

from app.pipeline.figures import Measure
from app.pipeline.mailbox import Entry, News
from app.pipeline.recorder.live_recording import LiveRecording, names_after
from app.recording import RecordingResult
from app.recording.disk import DiskLimits
from app.recording.plan import RecordingPlan
from app.recording.sidecar import Finder
from app.sources import Source
from detector.errors import RecordingError
from detector.values import Detections, Frame, LabelMap

_FEW = 2  # frames of a file that wait: a line may be written of each before the picture is, and none be lost
_SECONDS_FULL = 50  # frames of a live source: while they wait, its encoder can be made to work faster
_LOOK_EVERY = 0.5  # seconds
_GLANCE = 0.1
_END_WITHIN = 3.0
_USUAL = DiskLimits()


class AnnotatedVideo:
    """Records what is written to it, from the first frame on; a frame of another size begins OUT-2.mp4.

    results  what the finished files hold; none before, and when there was no frame
    limits   of the disk that is recorded to
    taken    names that are nobody's but others'
    tell     called now and then from another thread with what a person should know; "" when all is well
    raises   RecordingError, from `write` and `close`
    """

    def __init__(
        self,
        path: Path,
        source: Source,
        labels: LabelMap,
        *,
        limits: DiskLimits = _USUAL,
        taken: Collection[Path] = (),
        tell: Callable[[str], None] = lambda warning: None,
        force: bool = False,
    ) -> None:
        self.path = path
        self.results: tuple[RecordingResult, ...] = ()
        self._source, self._finder = source, Finder(labels=labels)
        self._plan = RecordingPlan(limits=limits, force=force)
        self._taken, self._tell = taken, tell
        self._recording: LiveRecording | None = None
        self._count = 0
        self._deadline = math.inf
        self._ended = threading.Event()

    def write(self, frame: Frame, found: Detections) -> None:
        recording = self._recording
        if recording is None:
            recording = self._recording = self._begun()
        self._count += 1
        if not recording.offer(Entry(frame, self._count, 0, seen=frame), found, None, self._finder):
            raise self._failure(recording)

    def hurry(self) -> None:
        """Of a live source: what is not finished some seconds from now stays as a part file, which plays."""
        if self._source.live:
            self._deadline = time.monotonic() + _END_WITHIN

    def close(self) -> None:
        recording = self._recording
        if recording is None:
            return
        recording.finish()
        while not recording.join(_GLANCE):
            if time.monotonic() > self._deadline:
                raise self._failure(recording)
        self._ended.set()
        self.results = recording.state.files
        if recording.state.failure:
            raise self._failure(recording)

    def _begun(self) -> LiveRecording:
        recording = LiveRecording(
            names_after(self.path, taken=self._taken),
            self.path.parent,
            self._plan,
            source=self._source,
            copies=False,
            patient=True,
            most=_SECONDS_FULL if self._source.live else _FEW,
            measure=Measure(),
            news=News(None),
        )
        name = f"watch recording of {self._source.name}"
        threading.Thread(target=self._watch, args=[recording], name=name, daemon=True).start()
        return recording

    def _watch(self, recording: LiveRecording) -> None:
        while not self._ended.wait(_LOOK_EVERY):
            self._tell(recording.state.warning)
            if time.monotonic() > self._deadline:
                recording.finish()  # whoever waits for a disk that does not answer waits no more
                return

    def _failure(self, recording: LiveRecording) -> RecordingError:
        state = recording.state
        name = (state.path or self.path).name
        return RecordingError(
            state.failure
            or f"{name} could not be finished in time; what is there plays, and 'record' finishes it when it "
            f"next begins in {self.path.parent}."
        )
