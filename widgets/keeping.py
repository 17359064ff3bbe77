"""Recordings and snapshots asked for in the window, and what is said about them."""

from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import QObject, QUrl
from PyQt5.QtGui import QDesktopServices
from PyQt5.QtWidgets import QAction

from app.keeping import new_path
from app.pipeline import LivePipeline, RecordingState, View
from app.recording.plan import RecordingPlan
from app.recording.sinks import AnnotatedPicture
from detector.errors import RecordingError
from detector.values import LabelMap
from widgets.banner import Banner
from widgets.seek_bar import clock


class Keeping(QObject):
    """Methods of the table of actions.

    watched  the pipeline and the names of its classes; None without a source
    folder   where files go; empty: the person's videos
    """

    def __init__(
        self, parent: QObject, *, watched: Callable[[], tuple[LivePipeline, LabelMap] | None], banner: Banner
    ) -> None:
        super().__init__(parent)
        self._watched = watched
        self._banner = banner
        self._announced: RecordingState | None = None
        self.folder = ""
        self.button: QAction | None = None

    def record(self, path: Path, *, force: bool = False) -> None:
        """Records under this name; what keeps it from that is said."""
        if (watched := self._watched()) is None:
            return
        try:
            watched[0].start_recording(path, plan=RecordingPlan(force=force))
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
                self.record(new_path(pipeline.source.name, ".mp4", folder=self.folder))
            except RecordingError as error:
                self._banner.say(str(error), tone="error")

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
            seconds = sum(result.seconds for result in recording.files)
            self._say_saved(f"Recorded {names}, {clock(seconds)} long", recording.files[0].path)

    def _say_saved(self, sentence: str, path: Path) -> None:
        folder = QUrl.fromLocalFile(str(path.parent))
        self._banner.say(
            f"{sentence} in {path.parent}",
            button="Open folder",
            action=lambda: QDesktopServices.openUrl(folder),
        )
