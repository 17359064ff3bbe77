"""Which classes are shown: a list to search and tick, with each class's colour and how many are seen now."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from PyQt5.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QRectF,
    QSize,
    QSortFilterProxyModel,
    Qt,
    pyqtSignal,
)
from PyQt5.QtGui import QColor, QPainter
from PyQt5.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListView,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.overlay import colour_of
from widgets import theme
from widgets.icons import icon
from widgets.labels import label

_COUNT = Qt.UserRole
_TOP = QModelIndex()


class _Classes(QAbstractListModel):
    """Names of classes, ticked or not, and their number in the shown picture."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.names: tuple[str, ...] = ()
        self.hidden: set[int] = set()
        self.counts: Mapping[int, int] = {}

    def rowCount(self, parent: QModelIndex = _TOP) -> int:
        return len(self.names)

    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> Any:
        row = index.row()
        if role == Qt.DisplayRole:
            return self.names[row]
        if role == Qt.CheckStateRole:
            return Qt.Unchecked if row in self.hidden else Qt.Checked
        if role == _COUNT:
            return self.counts.get(row, 0)
        if role == Qt.AccessibleTextRole:
            return f"{self.names[row]}, {self.counts.get(row, 0)} seen now"
        return None

    def setData(self, index: QModelIndex, value: Any, role: int = Qt.EditRole) -> bool:
        if role != Qt.CheckStateRole:
            return False
        (self.hidden.discard if value == Qt.Checked else self.hidden.add)(index.row())
        self.dataChanged.emit(index, index, [Qt.CheckStateRole])
        return True

    def flags(self, index: QModelIndex) -> Qt.ItemFlags:
        return Qt.ItemFlags(Qt.ItemIsEnabled | Qt.ItemIsSelectable | Qt.ItemIsUserCheckable)

    def replace(self, names: Sequence[str], hidden: Iterable[int]) -> None:
        self.beginResetModel()
        self.names = tuple(names)
        self.hidden = set(hidden)
        self.counts = {}
        self.endResetModel()

    def all_changed(self, role: int) -> None:
        if self.names:
            self.dataChanged.emit(self.index(0), self.index(len(self.names) - 1), [role])


class _Row(QStyledItemDelegate):
    """Adds the colour of the class and its count to the right of the name."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        hint = super().sizeHint(option, index)
        return QSize(hint.width() + 60, max(hint.height(), 28))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        super().paint(painter, option, index)
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(Qt.NoPen)
        painter.setBrush(QColor(*colour_of(index.data())))
        painter.drawRoundedRect(QRectF(rect.right() - 20, rect.center().y() - 5, 10, 10), 3, 3)
        if count := index.data(_COUNT):
            painter.setPen(QColor(theme.current().text))
            painter.drawText(rect.adjusted(0, 0, -32, 0), int(Qt.AlignRight | Qt.AlignVCenter), str(count))
        painter.restore()


class ClassFilter(QWidget):
    """The list with its search field.

    changed  the ids of the classes that stay hidden have changed
    """

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._classes = _Classes(self)
        self._found = QSortFilterProxyModel(self)
        self._found.setSourceModel(self._classes)
        self._found.setFilterCaseSensitivity(Qt.CaseInsensitive)
        self._classes.dataChanged.connect(self._ticked)

        self._summary = label(rank="muted")
        self.search = QLineEdit(placeholderText="Search classes", clearButtonEnabled=True)
        self.search.addAction(icon("search", "muted"), QLineEdit.LeadingPosition)
        self.search.setAccessibleName("Search classes")
        self.search.setToolTip("Search classes (C)")
        self.search.textChanged.connect(self._found.setFilterFixedString)
        self._list = QListView()
        self._list.setAccessibleName("Classes shown")
        self._list.setToolTip("Tick the classes to show; Space ticks the chosen one")
        self._list.setModel(self._found)
        self._list.setItemDelegate(_Row(self._list))
        self._list.setUniformItemSizes(True)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)

        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self._summary, 1)
        for words, tip, show in (
            ("All", "Show all classes found", True),
            ("None", "Hide all classes found", False),
        ):
            button = QPushButton(words, toolTip=tip)
            button.setAccessibleName(tip)
            button.setProperty("small", True)
            button.setFocusPolicy(Qt.TabFocus)
            button.clicked.connect(lambda _checked, show=show: self._tick_found(show))
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.search)
        column.addLayout(buttons)
        column.addWidget(self._list, 1)

    @property
    def hidden(self) -> frozenset[int]:
        """Ids of the classes that are not shown."""
        return frozenset(self._classes.hidden)

    def set_classes(self, names: Sequence[str], hidden: Iterable[int] = ()) -> None:
        self._classes.replace(names, hidden)
        self._summarise()

    def show_counts(self, counts: Mapping[int, int]) -> None:
        """How many of each class id the shown picture holds."""
        if counts != self._classes.counts:
            self._classes.counts = dict(counts)
            self._classes.all_changed(_COUNT)

    def _ticked(self, _first: QModelIndex, _last: QModelIndex, roles: Sequence[int]) -> None:
        if Qt.CheckStateRole in roles:
            self._summarise()
            self.changed.emit()

    def _tick_found(self, show: bool) -> None:
        rows = {
            self._found.mapToSource(self._found.index(row, 0)).row() for row in range(self._found.rowCount())
        }
        self._classes.hidden = self._classes.hidden - rows if show else self._classes.hidden | rows
        self._classes.all_changed(Qt.CheckStateRole)

    def _summarise(self) -> None:
        every, shown = len(self._classes.names), len(self._classes.names) - len(self._classes.hidden)
        self._summary.setText("All shown" if shown == every else f"{shown} of {every} shown")
