"""The program's own icons: line drawings in the colour of the text, sharp at every size and in both looks."""

import functools

from PyQt5.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PyQt5.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PyQt5.QtSvg import QSvgRenderer

from detector.places import assets_folder
from widgets import theme


class _DrawnIcon(QIconEngine):
    """Draws on demand in the colours of the theme in use, so that a change of look needs no new icons."""

    def __init__(self, name: str, tone: str, tone_on: str) -> None:
        super().__init__()
        self._name = name
        self._tone = tone
        self._tone_on = tone_on

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        tone = self._tone_on if state == QIcon.On else self._tone
        painter.save()
        painter.setRenderHint(QPainter.Antialiasing)
        if mode == QIcon.Disabled:
            painter.setOpacity(0.4)
        _drawing(self._name, getattr(theme.current(), tone)).render(painter, QRectF(rect))
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _DrawnIcon(self._name, self._tone, self._tone_on)


def icon(name: str, tone: str = "text", tone_on: str = "accent") -> QIcon:
    """An icon of assets/icons.

    tone, tone_on  names of colours of the theme, for off and on
    """
    return QIcon(_DrawnIcon(name, tone, tone_on))


def program_icon() -> QIcon:
    return QIcon(str(assets_folder() / "icons" / "studio.svg"))


@functools.lru_cache(maxsize=128)
def _drawing(name: str, colour: str) -> QSvgRenderer:
    drawing = (assets_folder() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    return QSvgRenderer(QByteArray(drawing.replace("currentColor", colour).encode()))
