"""A large button with an icon, a title and a line of explanation: what the start page is made of."""

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt5.QtWidgets import QAbstractButton, QSizePolicy

from widgets import theme
from widgets.icons import icon


class LargeButton(QAbstractButton):
    """Painted by itself, so that long names are shortened in the middle instead of widening the window.

    drawing  a name of assets/icons
    primary  the one thing most people want here
    """

    def __init__(
        self, drawing: str, title: str, explanation: str = "", *, tip: str = "", primary: bool = False
    ) -> None:
        super().__init__()
        self._primary = primary
        self._explanation = explanation
        self.setText(title)
        self.setIcon(icon(drawing, "on_primary" if primary else "accent"))
        self.setToolTip(tip or explanation)
        self.setAccessibleName(title)
        self.setAccessibleDescription(explanation)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setCursor(Qt.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)
        self.setAttribute(Qt.WA_Hover)

    def sizeHint(self) -> QSize:
        lines = 2 if self._explanation else 1
        return QSize(280, 26 + lines * (self.fontMetrics().height() + 1))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        ground = colours.primary if self._primary else colours.raised
        if not self._primary and (self.underMouse() or self.isDown() or self.isChecked()):
            ground = colours.hover
        edge = colours.accent if self.isChecked() else colours.primary if self._primary else colours.line
        painter.setPen(QPen(QColor(edge), 1))
        painter.setBrush(QColor(ground))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -2, -2), 9, 9)
        if self.hasFocus():
            painter.setPen(QPen(QColor(colours.text if self._primary else colours.accent), 2))
            painter.setBrush(Qt.NoBrush)
            painter.drawRoundedRect(self.rect().adjusted(2, 2, -3, -3), 8, 8)
        self.icon().paint(painter, 14, (self.height() - 24) // 2, 24, 24)
        self._write(painter, colours)

    def _write(self, painter: QPainter, colours: theme.Theme) -> None:
        left, right, metrics = 52, 14, self.fontMetrics()
        width = self.width() - left - right
        line = metrics.height() + 1
        top = (self.height() - line * (2 if self._explanation else 1)) // 2
        bold = painter.font()
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(QColor(colours.on_primary if self._primary else colours.text))
        title = painter.fontMetrics().elidedText(self.text(), Qt.ElideMiddle, width)
        painter.drawText(left, top, width, line, int(Qt.AlignVCenter), title)
        if self._explanation:
            bold.setBold(False)
            painter.setFont(bold)
            painter.setPen(QColor(colours.on_primary if self._primary else colours.muted))
            words = metrics.elidedText(self._explanation, Qt.ElideRight, width)
            painter.drawText(left, top + line, width, line, int(Qt.AlignVCenter), words)
