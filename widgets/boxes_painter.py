"""Boxes over the picture, in the look of `app.overlay`, drawn at the screen's own resolution."""

from PyQt5.QtCore import QRectF, Qt
from PyQt5.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from app.overlay import Style, label_of, place_tags, style_of
from detector.values import Detections, LabelMap
from widgets.view_geometry import Placement

_LINE = 2.0  # logical pixels
_RIM = 1.0  # of the contrasting colour on either side, so that the line shows on any picture


def paint_boxes(
    painter: QPainter, detections: Detections, labels: LabelMap, placement: Placement, *, with_text: bool
) -> None:
    """The better ones lie on top; a label moves where a better one's label is in the way."""
    painter.save()
    painter.setRenderHint(QPainter.Antialiasing)
    x, y, width, height = placement.target
    picture = QRectF(x, y, width, height)
    painter.setClipRect(picture)
    boxes = [_in_view(box, placement) for box in detections.boxes.tolist()]
    styles = [style_of(labels[class_id]) for class_id in detections.class_ids.tolist()]
    for box, style in reversed(list(zip(boxes, styles))):
        _paint_box(painter, box, style)
    if with_text:
        font = painter.font()
        font.setWeight(QFont.DemiBold)
        painter.setFont(font)
        seen = [index for index, box in enumerate(boxes) if box.intersects(picture)]
        texts = [label_of(detections, index, labels) for index in seen]
        metrics = QFontMetricsF(font)
        sizes = [(metrics.horizontalAdvance(text) + 12, metrics.height() + 3) for text in texts]
        corners = [boxes[index].intersected(picture).getCoords() for index in seen]
        tags = place_tags(sizes, corners, picture.getCoords())
        for index, text, tag in reversed(list(zip(seen, texts, tags))):
            _paint_tag(painter, text, tag, styles[index])
    painter.restore()


def _in_view(box: list[float], placement: Placement) -> QRectF:
    x1, y1 = placement.to_view(box[0], box[1])
    x2, y2 = placement.to_view(box[2], box[3])
    return QRectF(x1, y1, x2 - x1, y2 - y1)


def _paint_box(painter: QPainter, box: QRectF, style: Style) -> None:
    """The line lies within the box, as in recordings."""
    inner = box.adjusted(_LINE / 2, _LINE / 2, -_LINE / 2, -_LINE / 2)
    painter.setBrush(Qt.NoBrush)
    rim = QColor(*style.contrast, 190)
    line = QPen(QColor(*style.colour), _LINE, Qt.SolidLine, Qt.FlatCap, Qt.MiterJoin)
    if style.gap:
        line.setDashPattern([style.mark, style.gap])
    for pen in (QPen(rim, _LINE + 2 * _RIM, Qt.SolidLine, Qt.FlatCap, Qt.MiterJoin), line):
        painter.setPen(pen)
        painter.drawRect(inner)


def _paint_tag(painter: QPainter, text: str, tag: tuple[float, float, float, float], style: Style) -> None:
    x1, y1, x2, y2 = tag
    area = QRectF(x1, y1, x2 - x1, y2 - y1)
    painter.setPen(QPen(QColor(*style.contrast, 90), 1))
    painter.setBrush(QColor(*style.colour))
    painter.drawRoundedRect(area, 3, 3)
    painter.setPen(QColor(*style.contrast))
    painter.drawText(area, int(Qt.AlignCenter), text)
