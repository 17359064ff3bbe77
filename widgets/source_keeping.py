"""Recordings and snapshots of one source, however large it is shown; what waits for a disk is an errand."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PyQt5.QtCore import QObject, pyqtSignal

from app.keeping import Wishes, folder_of, new_path, new_paths
from app.pipeline import LivePipeline, RecordingState, View
from app.pipeline.recorder.live_recording import names_after
from app.recording.clip import check_target
from app.recording.part_file import make_folder, reason
from app.recording.plan import RecordingPlan
from app.recording.sinks import AnnotatedPicture
from app.saying import Once
from app.sources import State
from detector.errors import RecordingError
from detector.values import LabelMap
from widgets.errand import Errand, Reply
from widgets.receipts import Receipt
from widgets.source_words import is_waiting


class Subject(NamedTuple):
    """A source that something is to be kept of.

    labels  names of its classes
    stem    what its files are called, and no other source's
    """

    pipeline: LivePipeline
    labels: LabelMap
    stem: str


class SourceKeeping(QObject):
    """Lasts as long as its source is watched.

    said       a sentence and its tone (see `Banner.say`)
    saved      a Receipt
    preparing  the errand before a recording
    saving     that of a snapshot
    """

    said = pyqtSignal(str, str)
    saved = pyqtSignal(object)

    def __init__(self, pipeline: LivePipeline, stem: str) -> None:
        super().__init__()
        self._pipeline, self._stem = pipeline, stem
        self._name = pipeline.source.name
        self._wanted: Callable[[], Reply] | None = None  # leads to a recording that has not begun
        self._stopped = False  # the one that runs: it is being finished
        self._newest: RecordingState | None = None
        self._announced: RecordingState | None = None
        self._warnings = Once()
        self.preparing = Errand(self, "prepare a recording")
        self.saving = Errand(self, "save a snapshot")
        self._then: Callable[[], None] | None = None  # what waits for the first recording
        self.preparing.slow.connect(self._go_on)
        self.preparing.ended.connect(self._prepared)

    @property
    def is_recorded(self) -> bool:
        """Whether it is, or will be as soon as the disk allows it."""
        runs = self._newest is not None and self._newest.running
        return self._wanted is not None or (runs and not self._stopped)

    @property
    def is_waiting(self) -> bool:
        """Whether it is to be recorded and nothing is written yet."""
        return self.is_recorded and (self._newest is None or is_waiting(self._newest))

    def record(self, wishes: Wishes, folder: str) -> None:
        """From now on, or from when the recording before is finished; what keeps it from that is said."""
        status = self._pipeline.latest().status
        if self.is_recorded:
            return
        if status.is_final:
            self.said.emit(f"{self._name} sends no more pictures; there is nothing to record.", "warning")
            return
        self._begin(partial(self._prepare, wishes, folder))
        if status.state is not State.LIVE:
            sentence = f"{self._name} sends no pictures at the moment; its recording begins with the next."
            self.said.emit(sentence, "note")

    def record_as(self, path: Path, plan: RecordingPlan, *, then: Callable[[], None]) -> None:
        """Likewise, under this name; `then` is called once the disk has answered or does not for a while."""
        self._then = then
        self._begin(partial(self._check, path, plan))

    def stop(self) -> None:
        self._wanted, self._stopped = None, True
        self._pipeline.stop_recording()

    def _begin(self, work: Callable[[], Reply]) -> None:
        self._wanted = work
        recording = self._pipeline.latest().recording
        if not (recording and recording.running):
            self.preparing.begin(work)

    def _check(self, path: Path, plan: RecordingPlan) -> Reply:
        """In a thread of its own."""
        try:
            check_target(path, force=plan.force)
        except (RecordingError, OSError) as error:
            return partial(self._refuse, _sentence(error, path.parent))
        return partial(self._start, names_after(path), path.parent, plan)

    def _prepare(self, wishes: Wishes, folder: str) -> Reply:
        """In a thread of its own."""
        place = folder_of(folder)
        try:
            if wishes.one_file:
                path = new_path(self._stem, ".mp4", folder=folder)
                check_target(path, force=False)
                names = names_after(path)
            else:
                make_folder(place)
                names = new_paths(self._stem, folder=folder)
        except (RecordingError, OSError) as error:
            return partial(self._refuse, _sentence(error, place))
        return partial(self._start, names, place, wishes.plan())

    def _start(self, names: Iterator[Path], place: Path, plan: RecordingPlan) -> None:
        if self._wanted is None:
            return
        self._wanted, self._stopped, self._announced = None, False, None
        try:
            self._pipeline.start_recording_as(names, place, plan=plan)
        except RecordingError as error:
            self.said.emit(str(error), "error")
        self._newest = self._pipeline.latest().recording

    def _prepared(self) -> None:
        """Whatever has become of it."""
        self._wanted = None
        self._go_on()

    def _go_on(self) -> None:
        then, self._then = self._then, None
        if then is not None:
            then()

    def _refuse(self, sentence: str) -> None:
        if self._wanted is not None:
            self._wanted = None
            self.said.emit(sentence, "error")

    def take_snapshot(self, labels: LabelMap, folder: str) -> None:
        view = self._pipeline.latest()
        if view.frame is None:
            self.said.emit(f"{self._name} has shown no picture yet; there is nothing to save.", "warning")
        else:
            self.saving.begin(partial(self._save, view, labels, folder))

    def _save(self, view: View, labels: LabelMap, folder: str) -> Reply:
        """In a thread of its own."""
        assert view.frame is not None
        try:
            path = new_path(self._stem, ".jpg", folder=folder)
            AnnotatedPicture(path, labels).write(view.frame, view.detections)
        except (RecordingError, OSError) as error:
            return partial(self.said.emit, _sentence(error, folder_of(folder)), "error")
        return partial(self.saved.emit, Receipt("Saved", (path,)))

    def look(self, recording: RecordingState | None) -> None:
        """Says once how the newest recording ended, and warnings while it runs; called now and then."""
        self._newest = recording
        if recording is not None and recording.running:
            if self._warnings.is_new(self._name, recording.warning):
                self.said.emit(recording.warning, "warning")
            return
        self._warnings = Once()
        if recording is not None and recording != self._announced:
            self._announced = recording
            self._announce(recording)
        if self._wanted is not None:  # the one before is finished
            self.preparing.begin(self._wanted)

    def close(self, timeout: float = 0.0) -> bool:
        """No recording begins any more. Whether all that was asked for is on the disk."""
        self._wanted = self._then = None
        return self.preparing.close() and self.saving.close()

    def warn_again(self) -> None:
        """What was warned of and is still so."""
        self._warnings = Once()

    def _announce(self, recording: RecordingState) -> None:
        if recording.failure:
            self.said.emit(recording.failure, "error")
        elif not recording.files:
            self.said.emit("Nothing was recorded: there was no picture.", "warning")
        else:
            files = tuple(result.path for result in recording.files)
            seconds = sum(result.seconds for result in recording.files)
            self.saved.emit(Receipt("Recorded", files, seconds))


def _sentence(error: RecordingError | OSError, place: Path) -> str:
    if isinstance(error, RecordingError):
        return str(error)
    return f"{place} cannot be used ({reason(error)}); choose another folder."
