"""One sentence across the window, with at most one thing to do about it; never a dialog that blocks."""

from collections.abc import Callable

from PyQt5.QtCore import QTimer, pyqtSignal
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from widgets.icons import icon

_NOTE_STAYS_MS = 7000  # long enough to read two lines; errors stay until they are closed
_RANK = {"note": 0, "warning": 1, "error": 2}
_ICONS = {"note": ("note", "accent"), "warning": ("warning", "warning"), "error": ("warning", "record")}


class Banner(QFrame):
    """Hidden until it has something to say."""

    closed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setAccessibleName("Message")
        self._tone = "note"
        self._picture = QLabel()
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Preferred)
        self._button = QPushButton()
        self._button.clicked.connect(self._act)
        self._action: Callable[[], object] | None = None
        close = QToolButton()
        close.setIcon(icon("close", "muted"))
        close.setToolTip("Close this message (Esc)")
        close.setAccessibleName("Close this message")
        close.clicked.connect(self.dismiss)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 10, 8)
        row.setSpacing(12)
        for widget, stretch in ((self._picture, 0), (self._words, 1), (self._button, 0), (close, 0)):
            row.addWidget(widget, stretch)
        self._timer = QTimer(self, singleShot=True, interval=_NOTE_STAYS_MS)
        self._timer.timeout.connect(self.dismiss)
        self.hide()

    @property
    def words(self) -> str:
        return self._words.text()

    def say(
        self,
        sentence: str,
        *,
        tone: str = "note",
        button: str = "",
        action: Callable[[], object] | None = None,
    ) -> None:
        """Shows a sentence; what is graver than it stays instead.

        tone    "note" goes by itself; "warning" and "error" stay until they are closed
        button  a word for `action`
        """
        if self.isVisible() and _RANK[tone] < _RANK[self._tone]:
            return
        self._tone = tone
        self._words.setText(sentence)
        self._picture.setPixmap(icon(*_ICONS[tone]).pixmap(20, 20))
        self._button.setText(button)
        self._button.setVisible(bool(button))
        self._action = action
        self.setProperty("tone", tone)
        self.style().polish(self)
        self.setAccessibleDescription(sentence)
        self._timer.stop()
        if tone == "note":
            self._timer.start()
        self.show()

    def dismiss(self) -> None:
        if self.isVisible():
            self.hide()
            self._timer.stop()
            self.closed.emit()

    def _act(self) -> None:
        action = self._action
        self.dismiss()
        if action:
            action()
