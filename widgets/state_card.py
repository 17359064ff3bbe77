"""What stands over the picture while there is none, or no new one: a sentence and what can be done."""

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from widgets.card import Card
from widgets.labels import label
from widgets.source_words import CardWords

_WIDTH = 400  # logical pixels


class StateCard(Card):
    """A small card in the middle of the view.

    retry   try at once
    leave   give this source up
    log_in  ask for another name and password
    """

    retry = pyqtSignal()
    leave = pyqtSignal()
    log_in = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName("State of the source")
        self._title = label(rank="strong", wrap=True)
        self._sentence = label(rank="muted", wrap=True)
        for words in (self._title, self._sentence):
            words.setAlignment(Qt.AlignCenter)
        self._retry = QPushButton("Try now")
        self._retry.setToolTip("Connect at once instead of waiting")
        self._log_in = QPushButton("Log in…")
        self._log_in.setToolTip("Give another name and password")
        self._leave = QPushButton("Cancel")
        self._leave.setToolTip("Give up and go back to the start page (Ctrl+W)")
        for button, signal in (
            (self._retry, self.retry),
            (self._log_in, self.log_in),
            (self._leave, self.leave),
        ):
            button.setFocusPolicy(Qt.TabFocus)
            button.clicked.connect(signal)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self._retry, self._log_in, self._leave):
            buttons.addWidget(button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.addWidget(self._title)
        column.addWidget(self._sentence)
        column.addLayout(buttons)
        self._shown: CardWords | None = None
        self.hide()

    @property
    def shown(self) -> CardWords | None:
        """What it says; None while it is hidden."""
        return self._shown if not self.isHidden() else None

    def say(self, words: CardWords) -> None:
        """Shows the card; saying the same again changes nothing."""
        if words == self._shown and self.isVisible():
            return
        self._shown = words
        self._title.setText(words.title)
        self._sentence.setText(words.sentence)
        self._retry.setText(words.retry)
        self._retry.setVisible(bool(words.retry))
        self._log_in.setVisible(words.log_in)
        self._leave.setText(words.leave)
        self.setAccessibleDescription(f"{words.title}. {words.sentence}")
        self.fit()
        self.show()

    def fit(self) -> None:
        """In the middle of its parent, and no wider."""
        room = self.parentWidget()
        self.setFixedWidth(min(_WIDTH, room.width()))
        wide = self.width() == _WIDTH
        self.layout().setContentsMargins(*((26, 20, 26, 20) if wide else (10, 6, 10, 6)))
        self.layout().setSpacing(10 if wide else 4)
        self.setFixedHeight(self.layout().heightForWidth(self.width()))
        self.move((room.width() - self.width()) // 2, (room.height() - self.height()) // 2)
