"""The bar under sources side by side: what can be done with all of them at once."""

from collections.abc import Mapping

from PyQt5.QtWidgets import QAction, QFrame, QHBoxLayout

from widgets.labels import label
from widgets.transport import action_button

_BUTTONS = ("take_snapshot", "toggle_recording", "toggle_boxes", "toggle_full_screen")


class GridBar(QFrame):
    """Buttons for actions of the window, and how many sources are recorded."""

    def __init__(self, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        self.setObjectName("transport")
        self.setAccessibleName("All sources")
        self.words = label()
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 5, 10, 5)
        row.setSpacing(4)
        row.addWidget(self.words, 1)
        for name in _BUTTONS:
            row.addWidget(action_button(actions[name]))

    def count(self, sources: int, recorded: int, waiting: int) -> None:
        words = "1 source" if sources == 1 else f"{sources} sources"
        if recorded or waiting:
            words = f"{recorded} of {words} recorded" + (f", {waiting} waiting" if waiting else "")
        self.words.setText(words)
