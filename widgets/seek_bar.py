"""The time line of a file: click anywhere to go there, hover to read the time."""

from PyQt5.QtCore import QEvent, QPoint, Qt, pyqtSignal
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtWidgets import QSlider, QStyle, QStyleOptionSlider, QToolTip, QWidget


class SeekBar(QSlider):
    """A slider in milliseconds.

    sought  seconds of the file the person asked for
    """

    sought = pyqtSignal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Horizontal, parent)
        self.setAccessibleName("Position")
        self.setToolTip("Go to any moment (←, → for 5 seconds)")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.TabFocus)
        self.setSingleStep(1000)
        self.setPageStep(10_000)
        self.actionTriggered.connect(self._moved_by_person)

    def show_time(self, seconds: float, duration: float) -> None:
        """Follows the file, unless the person is dragging."""
        self.setRange(0, max(round(duration * 1000), 1))
        if not self.isSliderDown():
            self.setValue(round(seconds * 1000))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.LeftButton:
            self.setSliderDown(True)
            self._go_to(event.x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        milliseconds = self._value_at(event.x())
        QToolTip.showText(event.globalPos() + QPoint(0, -36), clock(milliseconds / 1000), self)
        if self.isSliderDown():
            self._go_to(event.x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.setSliderDown(False)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.ToolTip and self.isEnabled():
            return True  # the time under the mouse stands there already
        return super().event(event)

    def _moved_by_person(self, _action: int) -> None:
        self.sought.emit(self.sliderPosition() / 1000)

    def _go_to(self, x: int) -> None:
        self.setSliderPosition(self._value_at(x))
        self.sought.emit(self.sliderPosition() / 1000)

    def _value_at(self, x: int) -> int:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        style = self.style()
        handle = style.subControlRect(QStyle.CC_Slider, option, QStyle.SC_SliderHandle, self).width()
        span = self.width() - handle
        return QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), x - handle // 2, span)


def clock(seconds: float) -> str:
    """Seconds as a person reads them on a player: 0:07, 12:34, 1:02:03."""
    whole = max(int(seconds), 0)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
