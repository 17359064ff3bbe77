"""A small card that lies over the picture and can be read whatever is below it."""

from PyQt5.QtCore import QRectF
from PyQt5.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt5.QtWidgets import QFrame

from widgets import theme


class Card(QFrame):
    """Draws its ground; what stands on it is its children's."""

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(QPen(QColor(colours.line), 1))
        ground = QColor(colours.panel)
        ground.setAlpha(240)
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 12, 12)
