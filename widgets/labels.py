"""Text of the ranks the window knows; sizes follow the system's font."""

from PyQt5.QtWidgets import QLabel

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
