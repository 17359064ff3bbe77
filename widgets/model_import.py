"""Bringing in somebody else's model: a short form, and the command line's importer as a child process."""

import re
from pathlib import Path

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from widgets.command_child import CommandChild
from widgets.labels import form, label

_TEXTS = "Text (*.txt *.names);;All files (*)"
_FILES = "Models (*.tflite *.pb *.json *.h5 *.hdf5 *.caffemodel *.pth *.pt);;All files (*)"


class ModelImport(QDialog):
    """Stays open until the model is there, or the person gives up; `name` is then the model's."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Import a model")
        self.setMinimumWidth(540)
        self._child: CommandChild | None = None
        self._file = QLineEdit(placeholderText="A model file, for instance an SSD MobileNet .tflite")
        self._file.textChanged.connect(self._suggest_name)
        self._name = QLineEdit(placeholderText="How it is to be called here")
        self._classes = QLineEdit(placeholderText="Optional: a text file, one name a line")
        for field, tip in (
            (self._file, "The file somebody else made"),
            (self._name, "Letters, digits, dots and dashes"),
            (self._classes, "Names of the classes, where the model does not say them itself"),
        ):
            field.setToolTip(tip)
        rows = (
            ("&File", self._file, self._browse(self._file, "Choose the model file", _FILES)),
            ("&Name", self._name, None),
            ("&Classes", self._classes, self._browse(self._classes, "Choose the list of classes", _TEXTS)),
        )
        self._words = label(rank="muted", wrap=True)
        self._words.setMinimumHeight(self._words.fontMetrics().height() * 3)
        self._words.setAlignment(Qt.AlignTop | Qt.AlignLeft)
        self._busy = QProgressBar(minimum=0, maximum=0, textVisible=False)
        self._busy.setVisible(False)
        buttons = QDialogButtonBox(QDialogButtonBox.Cancel)
        self._start = QPushButton("Import")
        self._start.setProperty("primary", True)
        self._start.setDefault(True)
        buttons.addButton(self._start, QDialogButtonBox.AcceptRole)
        buttons.accepted.connect(self.start)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(14)
        column.addLayout(form(rows))
        column.addWidget(self._words)
        column.addWidget(self._busy)
        column.addWidget(buttons)
        self._judge()

    @property
    def name(self) -> str:
        return self._name.text().strip()

    @property
    def words(self) -> str:
        return self._words.text()

    def start(self) -> None:
        """Runs the importer; the window stays alive, whatever the file does."""
        file, classes = self._file.text().strip(), self._classes.text().strip()
        arguments = ["models", "import", file, "--as", self.name]
        self._words.setText("Importing… this may take half a minute.")
        self._show_busy(True)
        self._child = CommandChild(arguments + (["--classes", classes] if classes else []), self)
        self._child.ended.connect(self._ended)

    def reject(self) -> None:
        if self._child is not None:
            self._child.give_up()
        super().reject()

    def _ended(self, code: int, sentence: str) -> None:
        self._child = None
        self._show_busy(False)
        if code == 0:
            self.accept()
        else:
            self._words.setText(sentence)

    def _show_busy(self, busy: bool) -> None:
        self._busy.setVisible(busy)
        for widget in (self._file, self._name, self._classes, self._start):
            widget.setEnabled(not busy)
        if not busy:
            self._judge()

    def _suggest_name(self, file: str) -> None:
        self._name.setText(re.sub(r"[^A-Za-z0-9._-]+", "-", Path(file).stem).strip("-._")[:40].lower())
        self._judge()

    def _judge(self) -> None:
        self._start.setEnabled(bool(self._file.text().strip()))

    def _browse(self, field: QLineEdit, title: str, kinds: str) -> QPushButton:
        def browse() -> None:
            chosen, _ = QFileDialog.getOpenFileName(self, title, "", kinds)
            if chosen:
                field.setText(chosen)

        button = QPushButton("Browse…", autoDefault=False, toolTip=title)
        button.setAccessibleName(title)
        button.clicked.connect(browse)
        return button
