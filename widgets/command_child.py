"""One command of the command line as a child of the window, which stays alive whatever that does."""

import sys
from collections.abc import Sequence
from pathlib import Path

from PyQt5.QtCore import QObject, QProcess, pyqtSignal

_MAIN = Path(__file__).resolve().parent.parent / "main.py"


class CommandChild(QObject):
    """Runs once.

    heard  a line the command said on stdout
    ended  the exit code, and for a person the sentence that explains it where it is not 0
    """

    heard = pyqtSignal(str)
    ended = pyqtSignal(int, str)

    def __init__(self, arguments: Sequence[str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lines, self._complaints, self._over = b"", b"", False
        self.process = QProcess(self)
        self.process.readyReadStandardOutput.connect(self._listen)
        self.process.finished.connect(lambda code, _status: self._end(code))
        self.process.errorOccurred.connect(lambda _error: self._end(1))
        self.process.start(sys.executable, [str(_MAIN), *arguments])

    def give_up(self) -> None:
        """Ends it at once; it says no more."""
        self._over = True
        self.process.kill()
        self.process.waitForFinished(1000)

    def _listen(self) -> None:
        self._lines += bytes(self.process.readAllStandardOutput())
        *whole, self._lines = self._lines.split(b"\n")
        for line in whole:
            self.heard.emit(line.decode(errors="replace"))

    def _end(self, code: int) -> None:
        if self._over:
            return
        self._over = True
        self._listen()
        said = bytes(self.process.readAllStandardError()).decode(errors="replace").splitlines()
        lines = [line.strip() for line in said if line.strip()]
        sentence = next((line for line in reversed(lines) if line.startswith("error:")), (lines or [""])[-1])
        self.ended.emit(code, sentence.removeprefix("error:").strip() or "The command ended without a word.")
