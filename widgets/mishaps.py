"""Exceptions that nobody caught: logged, said in one sentence, and the program goes on.

Without a hook of its own PyQt5 ends the process when a slot raises (measured: abort, exit code 134).
"""

import logging
import sys
import threading
from types import TracebackType

from PyQt5.QtCore import (
    QObject,
    QtCriticalMsg,
    QtFatalMsg,
    QtMsgType,
    pyqtSignal,
    qInstallMessageHandler,
)

from app.redaction import redact
from detector.errors import StudioError

logger = logging.getLogger(__name__)
_qt_logger = logging.getLogger("qt")


class Mishaps(QObject):
    """While it is installed, it hears of every exception in slots and threads.

    happened  a sentence for the person; emitted in the thread where it happened
    """

    happened = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[tuple[str, str, int]] = set()

    def install(self) -> None:
        sys.excepthook = self._in_slot
        threading.excepthook = self._in_thread
        qInstallMessageHandler(_hear_qt)

    def _in_slot(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        self._tell(error)

    def _in_thread(self, mishap: threading.ExceptHookArgs) -> None:
        if mishap.exc_value is not None and not isinstance(mishap.exc_value, SystemExit):
            self._tell(mishap.exc_value)

    def _tell(self, error: BaseException) -> None:
        place = _place(error)
        if place not in self._seen:  # an exception in painting comes sixty times a second
            self._seen.add(place)
            logger.error("Not caught: %s", type(error).__name__, exc_info=error)
            if isinstance(error, StudioError):
                self.happened.emit(redact(str(error)))
            else:
                self.happened.emit(
                    f"Something went wrong ({place[0]}); the program goes on. The log says more."
                )


def _place(error: BaseException) -> tuple[str, str, int]:
    """Kind, file and line of where it was raised."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    file, line = (trace.tb_frame.f_code.co_filename, trace.tb_lineno) if trace else ("", 0)
    return type(error).__name__, file, line


def _hear_qt(kind: QtMsgType, _context: object, words: str) -> None:
    """What Qt has to say goes where everything else is said."""
    level = logging.WARNING if kind in (QtCriticalMsg, QtFatalMsg) else logging.INFO
    _qt_logger.log(level, "%s", words)
