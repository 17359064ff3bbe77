"""Work that waits for a disk, in a thread of its own: one that does not answer never holds up the window."""

import logging
import threading
from collections.abc import Callable
from typing import TypeAlias

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

logger = logging.getLogger(__name__)

_SLOW_MS = 2000

Reply: TypeAlias = Callable[[], None]


class Errand(QObject):
    """One at a time.

    slow      the disk has not answered for a while; emitted once for each piece of work
    answered  it has; before the reply is called
    ended     after that
    """

    slow = pyqtSignal()
    answered = pyqtSignal()
    ended = pyqtSignal()
    _returned = pyqtSignal(object)  # emitted in the thread

    def __init__(self, parent: QObject, name: str) -> None:
        super().__init__(parent)
        self._name = name
        self._under_way = False
        self._patience = QTimer(self, interval=_SLOW_MS, singleShot=True)
        self._patience.timeout.connect(self.slow)
        self._returned.connect(self._end)

    def close(self, timeout: float = 0.0) -> bool:
        """Whether nothing is under way; it is not waited for here, where its answer would arrive."""
        return not self._under_way

    def begin(self, work: Callable[[], Reply]) -> None:
        """Returns at once, and does nothing while the work before is under way.

        work  done in the thread; what it returns is called in the window's
        """
        if self._under_way:
            return
        self._under_way = True
        self._patience.start()
        # a daemon: a disk that never answers must not keep the program from ending
        threading.Thread(target=self._run, args=[work], name=self._name, daemon=True).start()

    def _run(self, work: Callable[[], Reply]) -> None:
        reply: Reply = _nothing
        try:
            reply = work()
        finally:  # a defect in it is told like every other, and the next work is done
            try:
                self._returned.emit(reply)
            except RuntimeError:  # the window has gone meanwhile
                logger.info("nobody is left to hear what became of '%s'", self._name)

    def _end(self, reply: Reply) -> None:
        self._under_way = False
        self._patience.stop()
        self.answered.emit()
        try:
            reply()
        finally:
            self.ended.emit()


def _nothing() -> None:
    pass
