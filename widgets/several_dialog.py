"""Asks which sources to watch side by side."""

from collections.abc import Sequence

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.redaction import without_credentials
from app.source_sets import MOST
from widgets.labels import label
from widgets.source_words import recent_words


class SeveralDialog(QDialog):
    """A list to tick; what is added to it is ticked. Modal to its window.

    offered  addresses that may be wanted: cameras here, sources watched before
    """

    def __init__(self, parent: QWidget | None = None, *, offered: Sequence[str] = ()) -> None:
        super().__init__(parent)
        self.setWindowTitle("Watch several sources")
        self.setMinimumSize(520, 420)
        self.list = QListWidget()
        self.list.setAccessibleName("Sources")
        self.address = QLineEdit(placeholderText="rtsp://192.168.1.20:554/stream1")
        self.address.setToolTip("A camera's address, a camera number or a file; Enter adds it")
        add = QPushButton("&Add")
        files = QPushButton("Add &files…")
        for button in (add, files):
            button.setAutoDefault(False)  # Enter in the field adds; it does not answer the question
        row = QHBoxLayout()
        row.addWidget(self.address, 1)
        row.addWidget(add)
        row.addWidget(files)
        self._buttons = QDialogButtonBox(QDialogButtonBox.Cancel)
        self.watch = self._buttons.addButton("Watch", QDialogButtonBox.AcceptRole)
        self.watch.setProperty("primary", True)
        self.watch.setAutoDefault(False)

        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(14)
        words = f"Tick what to watch side by side, at most {MOST}. The File menu keeps them as a set."
        column.addWidget(label(words, wrap=True))
        column.addWidget(self.list, 1)
        column.addLayout(row)
        column.addWidget(self._buttons)
        self.list.itemChanged.connect(self._count)
        self.address.returnPressed.connect(self._add_address)
        add.clicked.connect(self._add_address)
        files.clicked.connect(self._add_files)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        for address in offered:
            self._add(address, ticked=False)
        self._count()
        self.address.setFocus()

    @property
    def addresses(self) -> list[str]:
        """What is ticked, in the order of the list."""
        items = (self.list.item(row) for row in range(self.list.count()))
        return [item.data(Qt.UserRole) for item in items if item.checkState() == Qt.Checked]

    def _add(self, address: str, *, ticked: bool = True) -> None:
        """A row more; one that is there already is ticked."""
        shown = without_credentials(address)
        for row in range(self.list.count()):
            if self.list.item(row).toolTip() == shown:
                self.list.item(row).setCheckState(Qt.Checked)
                return
        name, place, _ = recent_words(shown)
        item = QListWidgetItem(f"{name}   {place}" if place else name)
        item.setData(Qt.UserRole, address)  # with the password, if it was typed with one: it is needed
        item.setToolTip(shown)
        item.setCheckState(Qt.Checked if ticked else Qt.Unchecked)
        self.list.addItem(item)
        self._count()  # what comes ticked is not told as a change

    def _add_address(self) -> None:
        if address := self.address.text().strip():
            self._add(address)
            self.address.clear()

    def _add_files(self) -> None:
        files, _ = QFileDialog.getOpenFileNames(self, "Videos and pictures to watch together")
        for file in files:
            self._add(file)

    def _count(self) -> None:
        count = len(self.addresses)
        self.watch.setText(f"Watch {count} together" if count > 1 else "Watch")
        self.watch.setEnabled(1 <= count <= MOST)
