"""What is said about a box beside its heat map: which anchor, which feature map; and how to see more."""

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QCheckBox, QHBoxLayout, QSlider, QToolButton, QVBoxLayout, QWidget

from detector.explain.look import OPACITY
from widgets.card import Card
from widgets.icons import icon
from widgets.labels import label


class ReasonCard(Card):
    """A small card in a corner of the view.

    changed  opacity, anchors or grid: what lies over the picture is to be painted anew
    closed   the person has seen enough
    """

    changed = pyqtSignal()
    closed = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName("Why this box")
        self._title = label(rank="strong", wrap=True)
        self._sentence = label(rank="muted", wrap=True)
        self.opacity = QSlider(Qt.Horizontal, minimum=0, maximum=100, value=round(OPACITY * 100))
        self.opacity.setAccessibleName("Opacity of the heat map")
        self.opacity.setToolTip("How much of the heat map lies over the picture")
        self.opacity.setFocusPolicy(Qt.TabFocus)
        self.anchors = QCheckBox("Anchors behind it")
        self.anchors.setToolTip("Show the anchor that gave the box, and those whose boxes it suppressed")
        self.anchors.setFocusPolicy(Qt.TabFocus)
        self.grid = QCheckBox("Anchors of its feature map")
        self.grid.setToolTip(
            "Show the middle of each cell of the map, and the anchors' shapes at the box's own"
        )
        self.grid.setFocusPolicy(Qt.TabFocus)
        close = QToolButton(icon=icon("close"))
        close.setAccessibleName("Close")
        close.setToolTip("Show the picture without it")
        close.setFocusPolicy(Qt.TabFocus)
        close.clicked.connect(self.closed)
        self.opacity.valueChanged.connect(self.changed)
        self.anchors.toggled.connect(self.changed)
        self.grid.toggled.connect(self.changed)
        top = QHBoxLayout()
        top.addWidget(self._title, 1)
        top.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 10, 12)
        column.setSpacing(6)
        column.addLayout(top)
        for widget in (self._sentence, self.opacity, self.anchors, self.grid):
            column.addWidget(widget)
        self.setFixedWidth(280)
        self.hide()

    @property
    def sentence(self) -> str:
        """What is said below the title."""
        return str(self._sentence.text())

    def say(self, title: str, sentence: str, *, answered: bool) -> None:
        """answered: there is something over the picture that can be made fainter."""
        self._title.setText(title)
        self._sentence.setText(sentence)
        self.opacity.setVisible(answered)
        self.anchors.setVisible(answered)
        self.grid.setVisible(answered)
        self.adjustSize()
        self.show()
