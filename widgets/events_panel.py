"""The panel of zones, lines and what has happened in them."""

from collections.abc import Mapping

from PyQt5.QtCore import QSize, Qt, QUrl, pyqtSignal
from PyQt5.QtGui import QDesktopServices
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.events import Regions
from widgets.actions import find_action
from widgets.labels import label
from widgets.vigil import MOST, Happening

_NAME, _PICTURE = Qt.UserRole, Qt.UserRole + 1


class EventsPanel(QFrame):
    """Shows and asks; the desk does.

    asked      the name of an action of the window: a zone or a line is to be drawn
    renamed    a name and the one that is wanted instead
    removed    a name
    kept       whether events go to the disk
    action_set a command or an address, or nothing
    """

    asked = pyqtSignal(str)
    renamed = pyqtSignal(str, str)
    removed = pyqtSignal(str)
    kept = pyqtSignal(bool)
    action_set = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAccessibleName("Events")
        self.regions = QListWidget()
        self.regions.setAccessibleName("Zones and lines")
        self.regions.setEditTriggers(QAbstractItemView.DoubleClicked | QAbstractItemView.EditKeyPressed)
        self.regions.setToolTip("Double click or F2: another name. Drag the corners in the picture.")
        self.regions.itemChanged.connect(self._renamed)
        self._remove = QPushButton("Erase", enabled=False)
        self.regions.currentRowChanged.connect(lambda row: self._remove.setEnabled(row >= 0))
        self._remove.setToolTip("Erase the chosen zone or line")
        self._remove.clicked.connect(self._remove_chosen)
        self.events = QListWidget()
        self.events.setAccessibleName("Events")
        self.events.setWordWrap(True)
        self.events.setToolTip("Double click: the picture of that moment, where one is kept")
        self.events.itemActivated.connect(self._open_picture)
        self.keep = QCheckBox("Keep on the disk")
        self.keep.setToolTip("Write each event to a file beside the recordings, with a picture of the moment")
        self.keep.toggled.connect(self.kept)
        self.action = QLineEdit(placeholderText="Command or address")
        self.action.setAccessibleName("On an event")
        self.action.setToolTip("Started or told for each event, which it gets as JSON; empty: nothing")
        self.action.editingFinished.connect(lambda: self.action_set.emit(self.action.text().strip()))

        drawing = QHBoxLayout()
        for name, words in (("draw_zone", "Zone"), ("draw_line", "Line")):
            button = QPushButton(words)
            button.setAccessibleName(find_action(name).text)
            button.setToolTip(find_action(name).hint)
            button.setFocusPolicy(Qt.TabFocus)
            button.clicked.connect(lambda _, name=name: self.asked.emit(name))
            drawing.addWidget(button)
        drawing.addWidget(self._remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addWidget(label("Zones and lines", "heading"))
        column.addWidget(self.regions, 1)
        column.addLayout(drawing)
        column.addSpacing(8)
        column.addWidget(label("Events", "heading"))
        column.addWidget(self.events, 3)
        column.addWidget(self.keep)
        column.addWidget(label("On an event", "muted"))
        column.addWidget(self.action)

    def sizeHint(self) -> QSize:
        return QSize(272, 600)

    def show_regions(self, regions: Regions, words: Mapping[str, str]) -> None:
        """words: what is counted in each"""
        names = [region.name for region in regions.all]
        if names != [self.regions.item(row).data(_NAME) for row in range(self.regions.count())]:
            self.regions.clear()
            for name in names:
                item = QListWidgetItem(name)
                item.setFlags(item.flags() | Qt.ItemIsEditable)
                item.setData(_NAME, name)
                self.regions.addItem(item)
        for row, name in enumerate(names):
            self.regions.item(row).setToolTip(words.get(name, ""))

    def edit_name(self, name: str) -> None:
        """Lets the person say at once what was drawn."""
        for item in self.regions.findItems(name, Qt.MatchExactly):
            self.regions.setCurrentItem(item)
            self.regions.editItem(item)

    def add_event(self, happening: Happening) -> None:
        """Newest first."""
        item = QListWidgetItem(f"{happening.at:%H:%M:%S}  {happening.event.sentence()}")
        item.setData(_PICTURE, str(happening.picture) if happening.picture else "")
        self.events.insertItem(0, item)
        if self.events.count() > MOST:
            self.events.takeItem(MOST)

    def _renamed(self, item: QListWidgetItem) -> None:
        before, wanted = item.data(_NAME), item.text().strip()
        if wanted != before:
            item.setText(before)  # until the desk agrees
            self.renamed.emit(before, wanted)

    def _remove_chosen(self) -> None:
        if (item := self.regions.currentItem()) is not None:
            self.removed.emit(item.data(_NAME))

    def _open_picture(self, item: QListWidgetItem) -> None:
        if picture := item.data(_PICTURE):
            QDesktopServices.openUrl(QUrl.fromLocalFile(picture))
