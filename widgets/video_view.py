"""The picture with its boxes: pixels one to one, everything over them drawn sharp at any scale."""

import time
from dataclasses import dataclass, field

from PyQt5.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import (
    QColor,
    QHideEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PyQt5.QtWidgets import QSizePolicy, QWidget

from detector.values import Detections, LabelMap
from widgets import theme
from widgets.boxes_painter import paint_boxes
from widgets.marks_painter import Mark, paint_marks, paint_statistics
from widgets.picture import Picture, Surface
from widgets.reason_painter import Reason, paint_reason
from widgets.source_words import CardWords
from widgets.state_card import StateCard
from widgets.view_geometry import Zoom

_WHEEL_STEP = 1.25  # zoom per notch
_STILL = 5  # logical pixels: a hand that moves less has clicked, not dragged
_SCREEN_RATE = 60.0  # paintings/s where the screen does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that is painted.

    veiled      the picture is old: it is greyed and boxes are left out
    marks       small signs in the corner (live, recording)
    statistics  lines of figures; none when empty
    reason      why one of the boxes is there
    """

    picture: Picture | None = None
    detections: Detections = field(default_factory=Detections.empty)
    labels: LabelMap | None = None
    with_text: bool = True
    veiled: bool = False
    marks: tuple[Mark, ...] = ()
    statistics: tuple[str, ...] = ()
    reason: Reason | None = None


class VideoView(QWidget):
    """One source's place in the window.

    painted          the sequence number of a frame that has just been painted
    surface_changed  another size, screen or zoom: pictures must be prepared anew
    clicked          a place of the frame, in its pixels: x, y
    double_clicked   on the picture
    moved_over       the mouse has moved
    """

    painted = pyqtSignal(int)
    surface_changed = pyqtSignal()
    clicked = pyqtSignal(float, float)
    double_clicked = pyqtSignal()
    moved_over = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Picture")
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Expanding)
        self.setMinimumSize(240, 135)
        self.setAttribute(Qt.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.card = StateCard(self)
        self._scene = Scene()
        self._zoom = Zoom()
        self._pressed_at: QPointF | None = None
        self._dragged_from: QPointF | None = None
        self._last_painted = 0.0
        self._next = QTimer(self, singleShot=True, timerType=Qt.PreciseTimer)
        self._next.timeout.connect(self.update)

    @property
    def scene(self) -> Scene:
        """What is painted now."""
        return self._scene

    def surface(self) -> Surface | None:
        """What pictures must be prepared for; None while nothing can be seen."""
        window = self.window()
        if not self.isVisible() or window is None or window.isMinimized():
            return None
        return Surface(self.height(), self.width(), self.devicePixelRatioF(), self._zoom)

    def show_scene(self, scene: Scene) -> None:
        """Painted soon, at most as often as the screen shows pictures; a newer scene replaces an older."""
        self._scene = scene
        wait = self._last_painted + self._interval() - time.monotonic()
        if wait <= 0.001:
            self.update()
        elif not self._next.isActive():
            self._next.start(int(wait * 1000))

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Closer or further; the place under `at` (view pixels, default the middle) stays where it is."""
        picture = self._scene.picture
        if picture is None:
            return
        at = at or QPointF(self.width() / 2, self.height() / 2)
        x, y = picture.placement.to_frame(at.x(), at.y())
        self._set_zoom(self._zoom.towards(factor, x / picture.frame.width, y / picture.frame.height))

    def reset_zoom(self) -> None:
        self._set_zoom(Zoom())

    def paintEvent(self, event: QPaintEvent) -> None:
        scene = self._scene
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.current().stage))
        if scene.picture is not None:
            self._paint_picture(painter, scene, scene.picture)
        paint_marks(painter, scene.marks)
        paint_statistics(painter, scene.statistics, self.height())
        painter.end()
        self._last_painted = time.monotonic()
        if scene.picture is not None and not scene.veiled:
            self.painted.emit(scene.picture.frame.sequence)

    def _paint_picture(self, painter: QPainter, scene: Scene, picture: Picture) -> None:
        x, y, width, height = picture.placement.target
        surface = picture.surface
        if (surface.height, surface.width, surface.ratio) == (
            self.height(),
            self.width(),
            self.devicePixelRatioF(),
        ):
            # On whole device pixels it is a plain copy.
            corner = QPointF(
                round(x * surface.ratio) / surface.ratio, round(y * surface.ratio) / surface.ratio
            )
            painter.drawImage(corner, picture.image)
        else:  # the view has just been resized: stretch until the new one is ready
            sx, sy = self.width() / surface.width, self.height() / surface.height
            painter.drawImage(QRectF(x * sx, y * sy, width * sx, height * sy), picture.image)
            return
        if scene.veiled:
            painter.fillRect(QRectF(x, y, width, height), QColor(11, 13, 16, 165))
            return
        if scene.reason is not None:
            size = picture.frame.height, picture.frame.width
            paint_reason(painter, scene.reason, picture.placement, size)
        if scene.labels is not None:
            paint_boxes(painter, scene.detections, scene.labels, picture.placement, with_text=scene.with_text)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.ControlModifier:
            self.zoom_by(_WHEEL_STEP ** (event.angleDelta().y() / 120), event.position())
            event.accept()
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed_at = event.localPos() if event.button() == Qt.LeftButton else None
        if event.button() == Qt.LeftButton and self._zoom.factor > 1:
            self._dragged_from = event.localPos()
            self.setCursor(Qt.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.moved_over.emit()
        picture = self._scene.picture
        if self._dragged_from is None or picture is None:
            return
        moved = event.localPos() - self._dragged_from
        self._dragged_from = event.localPos()
        scale = picture.placement.scale
        x = self._zoom.x - moved.x() / scale / picture.frame.width
        y = self._zoom.y - moved.y() / scale / picture.frame.height
        self._set_zoom(Zoom(self._zoom.factor, x, y))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, picture = self._pressed_at, self._scene.picture
        self._pressed_at = self._dragged_from = None
        if picture and pressed and (event.localPos() - pressed).manhattanLength() < _STILL:
            self.clicked.emit(*picture.placement.to_frame(pressed.x(), pressed.y()))
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.double_clicked.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        if not self.card.isHidden():
            self.card.fit()
        self.surface_changed.emit()

    def showEvent(self, event: QShowEvent) -> None:
        self.surface_changed.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        self.surface_changed.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self.surface_changed.emit()

    def show_card(self, words: CardWords) -> None:
        """Says something over the picture; `card.hide` takes it away."""
        self.card.say(words)

    def zoom_in(self) -> None:
        self.zoom_by(_WHEEL_STEP)

    def zoom_out(self) -> None:
        self.zoom_by(1 / _WHEEL_STEP)

    def _set_zoom(self, zoom: Zoom) -> None:
        picture = self._scene.picture
        if picture is not None:
            zoom = zoom.within((picture.frame.height, picture.frame.width), (self.height(), self.width()))
        if zoom != self._zoom:
            self._zoom = zoom
            self.surface_changed.emit()

    def _interval(self) -> float:
        screen = self.screen()
        rate = screen.refreshRate() if screen else _SCREEN_RATE
        return 1.0 / (rate if rate > 1 else _SCREEN_RATE)
