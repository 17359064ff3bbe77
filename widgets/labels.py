"""Text of the ranks the window knows; sizes follow the system's font."""

from collections.abc import Sequence

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QGridLayout, QLabel, QWidget

_SCALE = {"title": 1.75, "strong": 1.1, "heading": 1.0, "muted": 1.0, "plain": 1.0}
_BOLD = ("title", "strong", "heading")


def label(words: str = "", rank: str = "plain", *, wrap: bool = False) -> QLabel:
    """A text.

    rank  "title", "strong", "heading", "muted" (of second importance) or "plain"
    """
    made = QLabel(words)
    made.setProperty("rank", rank)
    font = made.font()
    font.setPointSizeF(font.pointSizeF() * _SCALE[rank])
    font.setBold(rank in _BOLD)
    made.setFont(font)
    made.setWordWrap(wrap)
    return made


def form(rows: Sequence[tuple[str, QWidget, QWidget | None]]) -> QGridLayout:
    """Fields under each other.

    rows  (name with its & key, field, what stands beside the field)
    """
    grid = QGridLayout()
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(10)
    for line, (name, field, beside) in enumerate(rows):
        words = label(name)
        words.setBuddy(field)
        field.setAccessibleName(name.replace("&", ""))
        grid.addWidget(words, line, 0, Qt.AlignRight | Qt.AlignVCenter)
        grid.addWidget(field, line, 1, 1, 1 if beside else 2)
        if beside:
            grid.addWidget(beside, line, 2)
    grid.setColumnStretch(1, 1)
    return grid
