"""Recordings and snapshots asked for in the window, of all sources that are shown."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtWidgets import QAction

from app.keeping import Wishes
from app.pipeline import LivePipeline, RecordingState, View
from app.recording.clip import SUFFIXES
from app.recording.part_file import reason
from app.recording.quota import is_starred, set_star
from detector.values import LabelMap
from widgets.banner import Banner
from widgets.dialogs import ask
from widgets.errand import Errand, Reply
from widgets.receipts import Receipt, Receipts
from widgets.recording_dialog import RecordingDialog
from widgets.source_keeping import SourceKeeping, Subject


class Keeping(QObject):
    """Methods of the table of actions. None waits for a disk.

    shown     the sources that can be seen
    wishes    how recordings are made
    folder    where files go; empty: the person's videos
    playing   the file that is watched; None for what is none
    changed   wishes or folder
    said      a pipeline, a sentence about its recording or snapshot, and its tone
    asked     the person wants something: what was said before is old
    counted   how many of the sources shown are recorded, and how many wait to be
    starring  the errand that stars a recording
    """

    changed = pyqtSignal()
    said = pyqtSignal(object, str, str)
    asked = pyqtSignal()
    counted = pyqtSignal(int, int)

    def __init__(self, parent: QObject, *, shown: Callable[[], Sequence[Subject]], banner: Banner) -> None:
        super().__init__(parent)
        self._shown = shown
        self._banner = banner
        self._receipts = Receipts(banner)
        self._sources: dict[LivePipeline, SourceKeeping] = {}
        self._recorded: Path | None = None  # last
        self.starring = Errand(self, "star a recording")
        self._mind(self.starring, "the star is set")
        self.wishes = Wishes()
        self.folder = ""
        self.playing: Path | None = None
        self.button: QAction | None = None

    def _mind(self, errand: Errand, then: str) -> None:
        """Says when the disk lets it wait."""
        sentence = f"The disk does not answer; {then} as soon as it does."
        errand.slow.connect(lambda: self._banner.say(sentence, tone="warning"))
        errand.answered.connect(lambda: self._take_back(sentence))

    def _take_back(self, sentence: str) -> None:
        if self._banner.words == sentence:
            self._banner.dismiss()

    def _of(self, subject: Subject) -> SourceKeeping:
        pipeline = subject.pipeline
        if (known := self._sources.get(pipeline)) is not None:
            return known
        made = self._sources[pipeline] = SourceKeeping(pipeline, subject.stem)
        made.said.connect(partial(self.said.emit, pipeline))
        made.saved.connect(self._saved)
        self._mind(made.preparing, "the recording begins")
        self._mind(made.saving, "the snapshot is saved")
        return made

    def let_go(self, pipeline: LivePipeline) -> SourceKeeping:
        """The source is watched no more; whoever asked looks for its last recording."""
        let_go = self._of(Subject(pipeline, LabelMap(()), pipeline.source.name))
        del self._sources[pipeline]
        let_go.stop()
        return let_go

    def record(self, path: Path, *, force: bool = False, then: Callable[[], None]) -> None:
        """Records the only source that is shown under this name; what keeps it from that is said.

        then  called once the disk has answered or does not for a while, unless the source was left meanwhile
        """
        (subject,) = self._shown()
        self._of(subject).record_as(path, self.wishes.plan(force=force), then=then)

    def toggle_recording(self, on: bool) -> None:
        """Of all that are shown."""
        self._ask()
        for each in map(self._of, self._shown()):
            if on:
                each.record(self.wishes, self.folder)
            else:
                each.stop()
        self.show_state()

    def take_snapshot(self) -> None:
        """One of each that is shown."""
        self._ask()
        for subject in self._shown():
            self._of(subject).take_snapshot(subject.labels, self.folder)

    def _ask(self) -> None:
        self.asked.emit()
        for each in self._sources.values():
            each.warn_again()

    def choose_recording(self) -> None:
        """Asks how recordings are made."""
        dialog = RecordingDialog(self.wishes, self.folder, self._banner.window())
        dialog.accepted.connect(lambda: self._choose(dialog.wishes, dialog.chosen_folder))
        ask(dialog)

    def _choose(self, wishes: Wishes, folder: str) -> None:
        self.wishes, self.folder = wishes, folder
        self.changed.emit()

    def toggle_star(self) -> None:
        """The recording that is watched, or else the last one made, is never deleted; or it may be again."""
        clip = self.playing if self.playing and self.playing.suffix.lower() in SUFFIXES else self._recorded
        self.starring.begin(partial(self._star, clip))

    def _star(self, clip: Path | None) -> Reply:
        """In a thread of its own."""
        try:
            if clip is None or not clip.exists():
                return partial(self._banner.say, "There is no recording to star yet.", tone="warning")
            starred = not is_starred(clip)
            set_star(clip, starred)
        except OSError as error:
            return partial(self._banner.say, f"{clip} cannot be starred ({reason(error)}).", tone="error")
        words = "is starred: no quota deletes it" if starred else "has lost its star"
        return partial(self._banner.say, f"{clip.name} {words}")

    def follow(self, view: View) -> None:
        """The newest of the only source that is shown."""
        for subject in self._shown():
            self.look(subject, view.recording)

    def look(self, subject: Subject, recording: RecordingState | None) -> None:
        """Says what has become of the newest recording of a source, shown or not; called now and then."""
        self._of(subject).look(recording)
        self.show_state()

    def show_state(self) -> None:
        """Keeps the button right: whether anything that is shown is recorded."""
        recorded = [each for each in map(self._of, self._shown()) if each.is_recorded]
        waiting = sum(each.is_waiting for each in recorded)
        if self.button is not None:
            self.button.setChecked(bool(recorded))
        self.counted.emit(len(recorded) - waiting, waiting)

    def _saved(self, receipt: Receipt) -> None:
        if receipt.files[-1].suffix in SUFFIXES:
            self._recorded = receipt.files[-1]
        self._receipts.say(receipt)
