"""Recordings and snapshots asked for in the window, and what is said about them."""

import re
from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import QObject, QUrl, pyqtSignal
from PyQt5.QtGui import QDesktopServices
from PyQt5.QtWidgets import QAction

from app.keeping import Wishes, folder_of, new_path, new_paths
from app.pipeline import LivePipeline, RecordingState, View
from app.recording.clip import SUFFIXES
from app.recording.part_file import make_folder
from app.recording.quota import is_starred, set_star
from app.recording.sinks import AnnotatedPicture
from detector.errors import RecordingError
from detector.values import LabelMap
from widgets.banner import Banner
from widgets.recording_dialog import RecordingDialog
from widgets.seek_bar import clock


class Keeping(QObject):
    """Methods of the table of actions.

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
        self._announced: RecordingState | None = None
        self._warned = ""
        self._recorded: Path | None = None  # last
        self.wishes = Wishes()
        self.folder = ""
        self.playing: Path | None = None
        self.button: QAction | None = None

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
            pipeline.stop_recording()
        elif not (recording and recording.running):
            try:
                self._begin(pipeline)
            except RecordingError as error:
                self._banner.say(str(error), tone="error")

    def _begin(self, pipeline: LivePipeline) -> None:
        name, place = pipeline.source.name, folder_of(self.folder)
        if self.wishes.one_file:
            pipeline.start_recording(new_path(name, ".mp4", folder=self.folder), plan=self.wishes.plan())
        else:
            make_folder(place)
            names = new_paths(name, folder=self.folder)
            pipeline.start_recording_as(names, place, plan=self.wishes.plan())

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
        if clip is None or not clip.exists():
            self._banner.say("There is no recording to star yet.", tone="warning")
            return
        starred = not is_starred(clip)
        try:
            set_star(clip, starred)
        except OSError as error:
            self._banner.say(f"{clip.name} cannot be starred ({error.strerror}).", tone="error")
            return
        words = "is starred: no quota deletes it" if starred else "has lost its star"
        self._banner.say(f"{clip.name} {words}")

    def take_snapshot(self) -> None:
        if (watched := self._watched()) is None:
            return
        pipeline, labels = watched
        view = pipeline.latest()
        if view.frame is None:
            return
        try:
            path = new_path(pipeline.source.name, ".jpg", folder=self.folder)
            AnnotatedPicture(path, labels).write(view.frame, view.detections)
        except RecordingError as error:
            self._banner.say(str(error), tone="error")
            return
        self._say_saved(f"Saved {path.name}", path)

    def follow(self, view: View) -> None:
        """Keeps the button right while this is watched, and says how its recording ended."""
        if self.button is not None:
            self.button.setChecked(bool(view.recording and view.recording.running))
        self.announce(view.recording)
        self._warn(view.recording)

    def _warn(self, recording: RecordingState | None) -> None:
        """Says a warning once, not again for each figure in it that changes."""
        warning = recording.warning if recording and recording.running else ""
        kind = re.sub(r"[\d.]+", "", warning)
        if warning and kind != self._warned:
            self._banner.say(warning, tone="warning")
        self._warned = kind

    def announce(self, recording: RecordingState | None) -> None:
        """Says, once, how a recording ended; also one of a source that is watched no more."""
        if recording is None or recording.running or recording == self._announced:
            return
        self._announced = recording
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
