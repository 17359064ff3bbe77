"""Small signs and figures over the picture, the same on every picture and in every look."""

from dataclasses import dataclass

from PyQt5.QtCore import QRectF, Qt
from PyQt5.QtGui import QColor, QFontDatabase, QFontMetricsF, QPainter

_GROUND = QColor(10, 12, 15, 200)
_TEXT = QColor("#f2f5f8")


@dataclass(frozen=True, slots=True)
class Mark:
    """A word on a dark chip with a coloured dot."""

    words: str
    colour: str


def paint_marks(painter: QPainter, marks: tuple[Mark, ...]) -> None:
    """In a row from the upper left corner."""
    painter.save()
    painter.setRenderHint(QPainter.Antialiasing)
    font = painter.font()
    font.setBold(True)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    height, left = metrics.height() + 8, 12.0
    for mark in marks:
        chip = QRectF(left, 12, metrics.horizontalAdvance(mark.words) + 32, height)
        painter.setPen(Qt.NoPen)
        painter.setBrush(_GROUND)
        painter.drawRoundedRect(chip, height / 2, height / 2)
        painter.setBrush(QColor(mark.colour))
        painter.drawEllipse(QRectF(chip.left() + 10, chip.center().y() - 4, 8, 8))
        painter.setPen(_TEXT)
        painter.drawText(chip.adjusted(22, 0, 0, 0), int(Qt.AlignVCenter | Qt.AlignLeft), mark.words)
        left = chip.right() + 8
    painter.restore()


def paint_statistics(painter: QPainter, lines: tuple[str, ...], view_height: int) -> None:
    """In the lower left corner, figures under each other."""
    if not lines:
        return
    painter.save()
    painter.setRenderHint(QPainter.Antialiasing)
    font = QFontDatabase.systemFont(QFontDatabase.FixedFont)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    width = max(metrics.horizontalAdvance(line) for line in lines) + 24
    height = metrics.lineSpacing() * len(lines) + 16
    box = QRectF(12, view_height - height - 12, width, height)
    painter.setPen(Qt.NoPen)
    painter.setBrush(_GROUND)
    painter.drawRoundedRect(box, 8, 8)
    painter.setPen(_TEXT)
    painter.drawText(box.adjusted(12, 8, 0, 0), int(Qt.AlignLeft | Qt.AlignTop), "\n".join(lines))
    painter.restore()
