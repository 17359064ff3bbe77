"""Recordings and snapshots asked for in the window, and what is said about them."""

import re
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from PyQt5.QtCore import QObject, QUrl, pyqtSignal
from PyQt5.QtGui import QDesktopServices
from PyQt5.QtWidgets import QAction

from app.keeping import Wishes, folder_of, new_path, new_paths
from app.pipeline import LivePipeline, RecordingState, View
from app.pipeline.live_recording import names_after
from app.recording.clip import SUFFIXES, check_target
from app.recording.part_file import make_folder, reason
from app.recording.quota import is_starred, set_star
from app.recording.sinks import AnnotatedPicture
from detector.errors import RecordingError
from detector.values import LabelMap
from widgets.banner import Banner
from widgets.errand import Errand, Reply
from widgets.recording_dialog import RecordingDialog
from widgets.seek_bar import clock

_REMEMBERED = 64  # recordings whose end was told: of all sources that are watched together


class Keeping(QObject):
    """Methods of the table of actions. None waits for a disk, but `record`.

    watched  the pipeline and the names of its classes; None without a source
    wishes   how recordings are made
    folder   where files go; empty: the person's videos
    playing  the file that is watched; None for what is none
    changed  wishes or folder
    """

    changed = pyqtSignal()

    def __init__(
        self, parent: QObject, *, watched: Callable[[], tuple[LivePipeline, LabelMap] | None], banner: Banner
    ) -> None:
        super().__init__(parent)
        self._watched = watched
        self._banner = banner
        self._announced: deque[RecordingState] = deque(maxlen=_REMEMBERED)
        self._warned: dict[str, str] = {}  # kinds of warnings, by the source
        self._recorded: Path | None = None  # last
        self._wanted: LivePipeline | None = None  # is to be recorded once the disk is prepared
        self._preparing = self._errand("prepare a recording", "the recording begins")
        self._saving = self._errand("save a snapshot", "the snapshot is saved")
        self._starring = self._errand("star a recording", "the star is set")
        self.wishes = Wishes()
        self.folder = ""
        self.playing: Path | None = None
        self.button: QAction | None = None

    def _errand(self, name: str, then: str) -> Errand:
        errand = Errand(self, name)
        sentence = f"The disk does not answer; {then} as soon as it does."
        errand.slow.connect(lambda: self._banner.say(sentence, tone="warning"))
        errand.answered.connect(lambda: self._take_back(sentence))
        return errand

    def _take_back(self, sentence: str) -> None:
        if self._banner.words == sentence:
            self._banner.dismiss()

    def record(self, path: Path, *, force: bool = False) -> None:
        """Records under this name; what keeps it from that is said."""
        if (watched := self._watched()) is None:
            return
        try:
            watched[0].start_recording(path, plan=self.wishes.plan(force=force))
        except RecordingError as error:
            self._banner.say(str(error), tone="error")

    def toggle_recording(self, on: bool) -> None:
        if (watched := self._watched()) is None:
            return
        pipeline = watched[0]
        recording = pipeline.latest().recording
        if not on:
            self._wanted = None
            pipeline.stop_recording()
        elif not (recording and recording.running):
            self._begin(pipeline)

    def _begin(self, pipeline: LivePipeline) -> None:
        self._wanted = pipeline
        self._preparing.begin(partial(self._prepare, pipeline, self.wishes, self.folder))

    def _prepare(self, pipeline: LivePipeline, wishes: Wishes, folder: str) -> Reply:
        """In a thread of its own."""
        name, place = pipeline.source.name, folder_of(folder)
        try:
            if wishes.one_file:
                path = new_path(name, ".mp4", folder=folder)
                check_target(path, force=False)
                names = names_after(path)
            else:
                make_folder(place)
                names = new_paths(name, folder=folder)
        except (RecordingError, OSError) as error:
            return partial(self._refuse, pipeline, _sentence(error, place))
        return partial(self._start, pipeline, names, place, wishes)

    def _start(self, pipeline: LivePipeline, names: Iterator[Path], place: Path, wishes: Wishes) -> None:
        if not self._still_wanted(pipeline):
            return
        try:
            pipeline.start_recording_as(names, place, plan=wishes.plan())
        except RecordingError as error:
            self._banner.say(str(error), tone="error")

    def _refuse(self, pipeline: LivePipeline, sentence: str) -> None:
        if self._still_wanted(pipeline):
            self._banner.say(sentence, tone="error")

    def _still_wanted(self, pipeline: LivePipeline) -> bool:
        """Whether it is still watched and to be recorded; another that is wanted by now has its turn."""
        wanted, self._wanted = self._wanted, None
        watched = self._watched()
        if wanted is None or watched is None or watched[0] is not wanted:
            return False
        if wanted is not pipeline:
            self._begin(wanted)
        return wanted is pipeline

    def choose_recording(self) -> None:
        """Asks how recordings are made."""
        dialog = RecordingDialog(self.wishes, self.folder, self._banner.window())
        dialog.accepted.connect(lambda: self._choose(dialog.wishes, dialog.chosen_folder))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _choose(self, wishes: Wishes, folder: str) -> None:
        self.wishes, self.folder = wishes, folder
        self.changed.emit()

    def toggle_star(self) -> None:
        """The recording that is watched, or else the last one made, is never deleted; or it may be again."""
        clip = self.playing if self.playing and self.playing.suffix.lower() in SUFFIXES else self._recorded
        self._starring.begin(partial(self._star, clip))

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

    def take_snapshot(self) -> None:
        if (watched := self._watched()) is None:
            return
        pipeline, labels = watched
        view = pipeline.latest()
        if view.frame is None:
            return
        self._saving.begin(partial(self._save, view, labels, pipeline.source.name, self.folder))

    def _save(self, view: View, labels: LabelMap, name: str, folder: str) -> Reply:
        """In a thread of its own."""
        assert view.frame is not None
        try:
            path = new_path(name, ".jpg", folder=folder)
            AnnotatedPicture(path, labels).write(view.frame, view.detections)
        except (RecordingError, OSError) as error:
            return partial(self._banner.say, _sentence(error, folder_of(folder)), tone="error")
        return partial(self._say_saved, f"Saved {path.name}", path)

    def follow(self, view: View) -> None:
        """Keeps the button right while this is watched, and says how its recording ended."""
        if self.button is not None:
            watched = self._watched()
            soon = watched is not None and watched[0] is self._wanted
            self.button.setChecked(soon or bool(view.recording and view.recording.running))
        if watched := self._watched():
            self.look_after(watched[0].source.name, view.recording)

    def look_after(self, source: str, recording: RecordingState | None) -> None:
        """Says how a recording ended, and a warning once, not again for each figure in it that changes."""
        self.announce(recording)
        warning = recording.warning if recording and recording.running else ""
        kind = re.sub(r"[\d.]+", "", warning)
        if warning and kind != self._warned.get(source):
            self._banner.say(warning, tone="warning")
        self._warned[source] = kind

    def announce(self, recording: RecordingState | None) -> None:
        """Says, once, how a recording ended; also one of a source that is watched no more."""
        if recording is None or recording.running or recording in self._announced:
            return
        self._announced.append(recording)
        if recording.failure:
            self._banner.say(recording.failure, tone="error")
        elif not recording.files:
            self._banner.say("Nothing was recorded: there was no picture.", tone="warning")
        else:
            names = ", ".join(result.path.name for result in recording.files)
            if len(recording.files) > 3:
                names = f"{len(recording.files)} files, the last {recording.files[-1].path.name}"
            seconds = sum(result.seconds for result in recording.files)
            self._recorded = recording.files[-1].path
            self._say_saved(f"Recorded {names}, {clock(seconds)} long", recording.files[0].path)

    def _say_saved(self, sentence: str, path: Path) -> None:
        folder = QUrl.fromLocalFile(str(path.parent))
        self._banner.say(
            f"{sentence} in {path.parent}",
            button="Open folder",
            action=lambda: QDesktopServices.openUrl(folder),
        )


def _sentence(error: RecordingError | OSError, place: Path) -> str:
    if isinstance(error, RecordingError):
        return str(error)
    return f"{place} cannot be used ({reason(error)}); choose another folder."
