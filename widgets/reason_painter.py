"""What of an explanation lies over the picture: the heat map, and anchors."""

from dataclasses import dataclass

import numpy as np
from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QImage, QPainter, QPen

from detector.explain.look import heat_layer
from detector.explain.methods import Heat
from detector.values import Boxes
from widgets import theme
from widgets.view_geometry import Placement

_SIDE = 384  # pixels of the layer's longer side: it is soft, and the painter stretches it


@dataclass(frozen=True, slots=True, eq=False)
class Reason:
    """What is painted.

    heat     the whole frame, clear where nothing spoke for the box
    opacity  0..1, where the map is warmest
    anchors  (n, 4) float32, pixels of the frame: the one that gave the box, then those it suppressed
    grid     (n, 4) float32, all anchors of its feature map, cell after cell
    shapes   anchors of a cell
    cell     which cell of the grid gave the box
    """

    heat: QImage
    opacity: float
    anchors: Boxes
    grid: Boxes
    shapes: int
    cell: int


def heat_image(heat: Heat, height: int, width: int) -> QImage:
    """The layer for a frame of this size."""
    scale = _SIDE / max(height, width)
    layer = heat_layer(heat, max(1, round(height * scale)), max(1, round(width * scale)))
    rows, columns = layer.shape[:2]
    return QImage(layer.data, columns, rows, 4 * columns, QImage.Format_ARGB32).copy()  # owns its bytes


def paint_reason(
    painter: QPainter, reason: Reason, placement: Placement, frame_size: tuple[int, int]
) -> None:
    """frame_size: height, width"""
    painter.save()
    painter.setRenderHints(QPainter.Antialiasing | QPainter.SmoothPixmapTransform)
    painter.setClipRect(QRectF(*placement.target))
    height, width = frame_size
    painter.setOpacity(reason.opacity)
    painter.drawImage(_rectangle((0, 0, width, height), placement), reason.heat)
    painter.setOpacity(1)
    painter.setBrush(Qt.NoBrush)
    _paint_grid(painter, reason, placement)
    accent = QColor(theme.DARK.accent)
    for number, box in reversed(list(enumerate(np.asarray(reason.anchors).tolist()))):
        area = _rectangle(box, placement)
        for pen in (
            (QPen(QColor(0, 0, 0, 170), 4), QPen(accent, 2))
            if number == 0
            else (QPen(QColor(255, 255, 255, 150), 1),)
        ):
            painter.setPen(pen)
            painter.drawRect(area)
    painter.restore()


def _paint_grid(painter: QPainter, reason: Reason, placement: Placement) -> None:
    """A point in the middle of each cell, and the shapes at the one that gave the box."""
    firsts = reason.grid[:: reason.shapes]
    for pen in (QPen(QColor(0, 0, 0, 170), 5), QPen(QColor(255, 255, 255, 220), 3)):
        painter.setPen(pen)
        for x, y in ((firsts[:, :2] + firsts[:, 2:]) / 2).tolist():
            painter.drawPoint(QPointF(*placement.to_view(x, y)))
    painter.setPen(QPen(QColor(255, 255, 255, 200), 1, Qt.DashLine))
    own = reason.grid[reason.cell * reason.shapes :][: reason.shapes]
    for box in own.tolist():
        painter.drawRect(_rectangle(box, placement))


def _rectangle(box: tuple[float, float, float, float] | list[float], placement: Placement) -> QRectF:
    x1, y1 = placement.to_view(box[0], box[1])
    x2, y2 = placement.to_view(box[2], box[3])
    return QRectF(x1, y1, x2 - x1, y2 - y1)
