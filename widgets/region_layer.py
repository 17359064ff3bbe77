"""Zones and lines over the picture: shown, drawn with the mouse, moved by their corners."""

from collections.abc import Mapping
from dataclasses import replace

from PyQt5.QtCore import QEvent, QPointF, QRectF, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PyQt5.QtWidgets import QWidget

from app.events import Line, Regions, Zone
from app.events.regions import Corner, Region
from detector.errors import OptionError
from widgets import regions_painter
from widgets.video_view import VideoView

_GRIP = 10.0  # logical pixels around a corner that take hold of it
_HINTS = {
    Zone: "Click the corners of the zone; a double click ends it. Backspace takes one back, Esc gives up.",
    Line: "Click both ends of the line. Esc gives up.",
}


class RegionLayer(QWidget):
    """Lies over the whole view; the mouse reaches the view beneath wherever nothing is drawn or held.

    drawn  a new zone or line is finished
    moved  a zone or line has another shape
    """

    drawn = pyqtSignal(object)
    moved = pyqtSignal(object)

    def __init__(self, view: VideoView) -> None:
        super().__init__(view)
        self.setAccessibleName("Zones and lines")
        self.setMouseTracking(True)
        self._view = view
        self._regions = Regions()
        self._words: Mapping[str, str] = {}
        self._kind: type[Zone] | type[Line] | None = None  # being drawn
        self._name = ""
        self._corners: list[Corner] = []
        self._mouse: Corner = (0.0, 0.0)
        self._held: tuple[Region, int] | None = None  # a region and which of its corners
        self._editable = False
        view.surface_changed.connect(self._follow_view)
        self._follow_view()
        self._listen()

    @property
    def drawing(self) -> bool:
        return self._kind is not None

    def show_regions(self, regions: Regions, words: Mapping[str, str]) -> None:
        """words: what stands beside each name"""
        if self._held is None and (regions, words) != (self._regions, self._words):
            self._regions, self._words = regions, dict(words)
            self.update()

    def edit(self, on: bool) -> None:
        """Whether corners can be taken hold of."""
        self._editable = on
        self._listen()

    def draw(self, kind: type[Zone] | type[Line], name: str) -> None:
        """The next clicks draw one."""
        self._kind, self._name, self._corners = kind, name, []
        self._listen()
        self.setFocus(Qt.OtherFocusReason)

    def cancel(self) -> None:
        """What was begun is forgotten."""
        self._kind, self._corners, self._held = None, [], None
        self._listen()
        if self.hasFocus():
            self._view.parentWidget().setFocus(Qt.OtherFocusReason)

    def paintEvent(self, event: QPaintEvent) -> None:
        picture = self._view.scene.picture
        if picture is None or not (self._regions or self.drawing):
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        for region in self._regions.all:
            corners = [self._to_view(corner) for corner in _corners_of(region)]
            closed = isinstance(region, Zone)
            regions_painter.paint_region(painter, corners, closed=closed, grips=self._editable)
            words = " · ".join(filter(None, (region.name, self._words.get(region.name, ""))))
            regions_painter.paint_name(painter, words, corners)
            if not closed:
                regions_painter.paint_direction(painter, *corners)
        if self._kind is not None:
            corners = [self._to_view(corner) for corner in (*self._corners, self._mouse)]
            regions_painter.paint_region(painter, corners, closed=False, grips=True)
            regions_painter.paint_hint(painter, _HINTS[self._kind], QRectF(self.rect()))
        painter.end()

    def event(self, event: QEvent) -> bool:
        """While something is drawn, the keys for it are not the window's."""
        if event.type() == QEvent.ShortcutOverride and self.drawing:
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key_Escape:
            self.cancel()
        elif event.key() in (Qt.Key_Backspace, Qt.Key_Delete) and self._corners:
            self._corners.pop()
        elif event.key() in (Qt.Key_Return, Qt.Key_Enter):
            self._finish()
        else:
            event.ignore()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = event.localPos()
        if event.button() != Qt.LeftButton:
            event.ignore()
        elif self.drawing:
            if len(self._corners) > 2 and _near(at, self._to_view(self._corners[0])):
                self._finish()
            else:
                self._corners.append(self._to_share(at))
                if self._kind is Line and len(self._corners) == 2:
                    self._finish()
        else:
            self._held = self._corner_at(at)
            event.setAccepted(self._held is not None)
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._mouse = self._to_share(event.localPos())
        if self._held is not None:
            self._drag(*self._held)
        elif not self.drawing:
            over = self._corner_at(event.localPos()) is not None
            self.setCursor(Qt.SizeAllCursor if over else Qt.ArrowCursor)
            event.ignore()  # the view beneath follows the mouse too
            return
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._held is None:
            event.ignore()
            return
        self._mouse = self._to_share(event.localPos())
        self._drag(*self._held)
        (before, _), self._held = self._held, None
        if (now := self._region(before.name)) != before:
            self.moved.emit(now)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Its first click has made the last corner."""
        if self.drawing:
            self._finish()
        elif self._corner_at(event.localPos()) is None:
            event.ignore()

    def _finish(self) -> None:
        kind, corners = self._kind, tuple(self._corners)
        try:
            region = Zone(self._name, corners) if kind is Zone else Line(self._name, *corners)
        except (OptionError, TypeError):  # too few corners, or all in one place: go on drawing
            return
        self.cancel()
        self.drawn.emit(region)

    def _drag(self, region: Region, corner: int) -> None:
        """Shown at once; told when the mouse lets go."""
        try:
            self._regions = self._regions.with_region(
                _with_corner(region, corner, self._mouse), instead_of=region.name
            )
        except OptionError:  # it would have no area
            return

    def _region(self, name: str) -> Region:
        return next(region for region in self._regions.all if region.name == name)

    def _corner_at(self, at: QPointF) -> tuple[Region, int] | None:
        if self._editable and self._view.scene.picture is not None:
            for region in reversed(self._regions.all):
                for index, corner in enumerate(_corners_of(region)):
                    if _near(at, self._to_view(corner)):
                        return region, index
        return None

    def _to_view(self, corner: Corner) -> QPointF:
        picture = self._view.scene.picture
        assert picture is not None
        frame = picture.frame
        return QPointF(*picture.placement.to_view(corner[0] * frame.width, corner[1] * frame.height))

    def _to_share(self, at: QPointF) -> Corner:
        """The place of the picture under the mouse; the nearest one where there is none."""
        picture = self._view.scene.picture
        if picture is None:
            return (0.0, 0.0)
        x, y = picture.placement.to_frame(at.x(), at.y())
        return min(max(x / picture.frame.width, 0.0), 1.0), min(max(y / picture.frame.height, 0.0), 1.0)

    def _listen(self) -> None:
        """The mouse is taken only where there is something to do with it."""
        busy = self.drawing or self._editable
        self.setAttribute(Qt.WA_TransparentForMouseEvents, not busy)
        self.setFocusPolicy(Qt.ClickFocus if self.drawing else Qt.NoFocus)
        self.setCursor(Qt.CrossCursor if self.drawing else Qt.ArrowCursor)
        self.update()

    def _follow_view(self) -> None:
        self.setGeometry(self._view.rect())
        self.lower()  # under the card and the controls


def _corners_of(region: Region) -> tuple[Corner, ...]:
    return region.corners if isinstance(region, Zone) else (region.start, region.end)


def _with_corner(region: Region, index: int, at: Corner) -> Region:
    if isinstance(region, Zone):
        return replace(region, corners=(*region.corners[:index], at, *region.corners[index + 1 :]))
    return replace(region, start=at) if index == 0 else replace(region, end=at)


def _near(one: QPointF, other: QPointF) -> bool:
    return bool((one - other).manhattanLength() <= _GRIP)
