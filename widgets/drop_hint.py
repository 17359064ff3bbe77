"""What may be dropped on the window, and what lies over it while something is dragged across."""

from PyQt5.QtCore import QEvent, QObject, QRectF, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt5.QtWidgets import QWidget

from widgets import theme
from widgets.incoming import addresses_in


class DropHint(QWidget):
    """A frame and two words over its parent; the mouse goes through it.

    window   what things are dropped on
    dropped  list of addresses
    """

    dropped = pyqtSignal(list)

    def __init__(self, parent: QWidget, window: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_TransparentForMouseEvents)
        self.hide()
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, window: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in (QEvent.DragLeave, QEvent.Drop):
            self.hide()
        if kind in (QEvent.DragEnter, QEvent.Drop) and (addresses := addresses_in(event.mimeData())):
            event.acceptProposedAction()
            if kind == QEvent.Drop:
                self.dropped.emit(addresses)
            else:
                self._cover()
        return kind in (QEvent.DragEnter, QEvent.DragLeave, QEvent.Drop)

    def _cover(self) -> None:
        """On top of everything."""
        parent = self.parentWidget()
        self.setGeometry(parent.rect())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        ground = QColor(colours.window)
        ground.setAlpha(215)
        painter.fillRect(self.rect(), ground)
        painter.setPen(QPen(QColor(colours.accent), 3, Qt.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(16, 16, -16, -16), 14, 14)
        font = painter.font()
        font.setPointSizeF(font.pointSizeF() * 1.6)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor(colours.text))
        painter.drawText(self.rect(), int(Qt.AlignCenter), "Drop to watch")
