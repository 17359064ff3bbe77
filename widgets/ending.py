"""What has been told to end and has not ended yet: looked after without holding up the window."""

from collections.abc import Callable
from typing import Protocol

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

_LOOK_EVERY_MS = 20


class Closable(Protocol):
    def close(self, timeout: float = ..., /) -> bool:
        """Whether everything has ended within that time."""


class Ending(QObject):
    """done  nothing is left"""

    done = pyqtSignal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._left: list[tuple[str, Closable, Callable[[], None]]] = []
        self._look = QTimer(self, interval=_LOOK_EVERY_MS)
        self._look.timeout.connect(self._look_after)

    @property
    def names(self) -> list[str]:
        """Of what has not ended."""
        return [name for name, _, _ in self._left]

    def add(self, name: str, closable: Closable, ended: Callable[[], None] = lambda: None) -> None:
        """Tells it to end; `ended` is called once it has."""
        closable.close(0.0)
        self._left.append((name, closable, ended))
        self._look.start()

    def _look_after(self) -> None:
        for each in list(self._left):
            if each[1].close(0.0):
                self._left.remove(each)
                each[2]()
        if not self._left:
            self._look.stop()
            self.done.emit()
