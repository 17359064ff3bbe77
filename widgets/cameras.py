"""Which cameras this computer has, looked for now and then while the start page is in view."""

import logging
import sys
import threading

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from app.sources import FoundCamera, list_cameras

logger = logging.getLogger(__name__)

_EVERY_MS = 3000


class Cameras(QObject):
    """Looks in a thread of its own: a driver that does not answer must not hold up the window.

    found  FoundCamera, all there are now
    """

    found = pyqtSignal(list)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._looking: threading.Thread | None = None
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self._look)

    def start(self) -> None:
        self._look()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _look(self) -> None:
        if sys.platform != "linux":
            self.found.emit(_known_to_qt())
        elif self._looking is None or not self._looking.is_alive():
            self._looking = threading.Thread(target=self._ask, name="cameras", daemon=True)
            self._looking.start()

    def _ask(self) -> None:
        try:
            cameras = list_cameras()
        except Exception:
            logger.exception("cameras could not be looked for")
            return
        try:
            self.found.emit(cameras)
        except RuntimeError:  # the window has gone meanwhile
            return


def _known_to_qt() -> list[FoundCamera]:
    """Names where the system is not Linux; OpenCV counts the cameras in the same order."""
    try:
        from PyQt5.QtMultimedia import QCameraInfo
    except ImportError:
        return [FoundCamera("0", "First camera"), FoundCamera("1", "Second camera")]
    return [
        FoundCamera(str(number), camera.description())
        for number, camera in enumerate(QCameraInfo.availableCameras())
    ]
