"""What zones and lines look like: one colour with a dark rim, so that they show on any picture."""

import math
from collections.abc import Sequence

from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

_COLOUR = QColor("#56B4E9")  # of Okabe and Ito: told apart by everybody
_FILL = QColor(86, 180, 233, 38)
_RIM = QColor(10, 12, 15, 200)
_TEXT = QColor("#f2f5f8")
_GRIP = 5.0  # logical pixels
_ARROW = 22.0


def paint_region(painter: QPainter, corners: Sequence[QPointF], *, closed: bool, grips: bool) -> None:
    """An area, or an open course.

    grips  corners are shown as something to hold
    """
    course = QPolygonF(list(corners))
    painter.setBrush(_FILL if closed else Qt.NoBrush)
    for pen in (QPen(_RIM, 4), QPen(_COLOUR, 2)):
        painter.setPen(pen)
        if closed:
            painter.drawPolygon(course)
        else:
            painter.drawPolyline(course)
        painter.setBrush(Qt.NoBrush)
    if grips:
        painter.setPen(QPen(_RIM, 1))
        painter.setBrush(_COLOUR)
        for corner in corners:
            painter.drawEllipse(corner, _GRIP, _GRIP)


def paint_direction(painter: QPainter, start: QPointF, end: QPointF) -> None:
    """An arrow from the middle of a line to where "in" is: to the left of one who walks along it."""
    length = math.hypot(end.x() - start.x(), end.y() - start.y()) or 1.0
    along = (end - start) / length
    across = QPointF(along.y(), -along.x())
    middle = (start + end) / 2
    tip = middle + across * _ARROW
    wings = [tip - across * 7 + along * 5, tip - across * 7 - along * 5]
    for pen in (QPen(_RIM, 4), QPen(_COLOUR, 2)):
        painter.setPen(pen)
        painter.drawLine(middle, tip)
        painter.drawPolyline(QPolygonF([wings[0], tip, wings[1]]))


def paint_name(painter: QPainter, words: str, corners: Sequence[QPointF]) -> None:
    """At its uppermost corner."""
    font = QFont(painter.font())
    font.setWeight(QFont.DemiBold)
    painter.setFont(font)
    at = min(corners, key=lambda corner: (corner.y(), corner.x()))
    metrics = QFontMetricsF(font)
    tag = QRectF(
        at.x(), at.y() - metrics.height() - 6, metrics.horizontalAdvance(words) + 14, metrics.height() + 4
    )
    if tag.top() < 0:
        tag.moveTop(at.y() + 4)
    _paint_tag(painter, words, tag, Qt.AlignCenter)


def paint_hint(painter: QPainter, words: str, area: QRectF) -> None:
    """In the middle of the upper edge."""
    metrics = QFontMetricsF(painter.font())
    width = min(metrics.horizontalAdvance(words) + 28, area.width() - 16)
    way = Qt.AlignCenter | Qt.TextWordWrap
    box = metrics.boundingRect(QRectF(0, 0, width - 24, 400), int(way), words)
    _paint_tag(painter, words, QRectF((area.width() - width) / 2, 12, width, box.height() + 12), way)


def _paint_tag(painter: QPainter, words: str, tag: QRectF, way: int) -> None:
    painter.setPen(Qt.NoPen)
    painter.setBrush(_RIM)
    painter.drawRoundedRect(tag, 4, 4)
    painter.setPen(_TEXT)
    painter.drawText(tag.adjusted(7, 0, -7, 0), int(way), words)
