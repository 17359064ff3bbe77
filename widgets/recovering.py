"""Recordings that were interrupted are offered to be finished; it is done beside everything else."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal

from app.recording.recovery import left_overs, recover
from detector.errors import RecordingError
from widgets.banner import Banner

logger = logging.getLogger(__name__)


class Recovering(QObject):
    """Looks once, at the start; says what it found and what became of it.

    found     part files; emitted in a thread of its own, and so is
    finished  a sentence and its tone
    """

    found = pyqtSignal(object)
    finished = pyqtSignal(str, str)

    def __init__(self, parent: QObject, banner: Banner) -> None:
        super().__init__(parent)
        self._banner = banner
        self.found.connect(self._offer)
        self.finished.connect(lambda sentence, tone: self._banner.say(sentence, tone=tone))

    def look(self, folder: Path) -> None:
        """Returns at once."""
        threading.Thread(target=self._look, args=[folder], name="look for left-overs", daemon=True).start()

    def _look(self, folder: Path) -> None:
        parts = left_overs(folder)
        if parts:
            self._emit(self.found, parts)

    def _offer(self, parts: Sequence[Path]) -> None:
        which = f"{parts[0].name} was" if len(parts) == 1 else f"{len(parts)} recordings were"
        self._banner.say(
            f"{which} interrupted; what was recorded plays and can be finished.",
            tone="warning",
            button="Finish it" if len(parts) == 1 else "Finish them",
            action=lambda: self._begin(parts),
        )

    def _begin(self, parts: Sequence[Path]) -> None:
        self._banner.dismiss()
        threading.Thread(target=self._finish, args=[parts], name="finish left-overs", daemon=True).start()

    def _finish(self, parts: Sequence[Path]) -> None:
        done, trouble = [], ""
        for part in parts:
            try:
                result = recover(part)
            except RecordingError as error:
                logger.warning("%s", error)
                trouble = str(error)
            else:
                done += [result.path.name] if result.frames else []
        if trouble:
            self._emit(self.finished, trouble, "error")
        else:
            self._emit(self.finished, f"Finished {', '.join(done) or 'nothing: they were empty'}", "note")

    def _emit(self, signal: pyqtSignal, *values: object) -> None:
        try:
            signal.emit(*values)
        except RuntimeError:  # the window has gone meanwhile
            logger.info("nobody is left to hear of left-overs")
