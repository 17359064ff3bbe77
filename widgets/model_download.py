"""Fetching published weights: what there is, what it needs; the command line's download as a child."""

import json

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.published.catalog import Published, read_catalog
from detector.errors import StudioError
from widgets.command_child import CommandChild
from widgets.labels import label

_PARTS = 1000  # of the progress bar


class ModelDownload(QDialog):
    """Stays open until the model is there, or the person gives up; `name` is then the model's."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Download a model")
        self.resize(620, 520)
        self.name = ""
        self._child: CommandChild | None = None
        self._list = QListWidget(alternatingRowColors=True, textElideMode=Qt.ElideRight)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self._list.setAccessibleName("Published weights")
        self._list.currentItemChanged.connect(self._judge)
        self._unverified = QCheckBox("Take it although nobody has published a &checksum")
        self._unverified.toggled.connect(self._judge)
        self._words = label(rank="muted", wrap=True)
        self._words.setMinimumHeight(self._words.fontMetrics().height() * 4)
        self._words.setAlignment(Qt.AlignTop | Qt.AlignLeft)
        self._words.setTextInteractionFlags(Qt.TextBrowserInteraction | Qt.TextSelectableByKeyboard)
        self._words.setOpenExternalLinks(True)
        self._bar = QProgressBar(maximum=_PARTS, visible=False)
        buttons = QDialogButtonBox(QDialogButtonBox.Cancel)
        self._start = QPushButton("Download", default=True)
        self._start.setProperty("primary", True)
        buttons.addButton(self._start, QDialogButtonBox.AcceptRole)
        buttons.accepted.connect(self.start)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(14)
        for part in (self._list, self._unverified, self._words, self._bar, buttons):
            column.addWidget(part)
        self._fill()

    @property
    def words(self) -> str:
        return self._words.text()

    def start(self) -> None:
        """Fetches what is chosen; what has come stays when the person gives up."""
        entry = self._chosen()
        assert entry is not None
        arguments = ["models", "download", entry.name, "--json"]
        arguments += ["--unverified"] if self._unverified.isChecked() else []
        self._words.setText("Fetching…")
        self._child = CommandChild(arguments, self)
        self._child.heard.connect(self._listen)
        self._child.ended.connect(self._ended)
        self._show_busy(True)

    def reject(self) -> None:
        if self._child is not None:
            self._child.give_up()
        super().reject()

    def _fill(self) -> None:
        try:
            entries = read_catalog()
        except StudioError as error:
            self._words.setText(str(error))
            self._judge_nothing()
            return
        for entry in sorted(entries, key=lambda each: (each.by_hand is not None, each.name)):
            item = QListWidgetItem(f"{entry.name}\n{_summary(entry)}")
            item.setData(Qt.UserRole, entry)
            self._list.addItem(item)
        self._list.setCurrentRow(0)

    def _chosen(self) -> Published | None:
        item = self._list.currentItem()
        return item.data(Qt.UserRole) if item else None

    def _judge(self, *_: object) -> None:
        entry = self._chosen()
        if entry is None:
            self._judge_nothing()
            return
        asks = entry.by_hand is None and not entry.is_checked
        self._unverified.setVisible(asks)
        if not asks:
            self._unverified.setChecked(False)
        self._start.setEnabled(entry.by_hand is None and (entry.is_checked or self._unverified.isChecked()))
        if entry.by_hand:
            self._words.setText(
                f'This can only be fetched in a browser: <a href="{entry.by_hand}">open its page</a>, '
                f"save the file, then: {entry.import_command(entry.files[0].name)}"
            )
        else:
            self._words.setText(
                f"Licence: {entry.licence or 'not stated; ask its authors before you rely on it'}"
            )

    def _judge_nothing(self) -> None:
        self._unverified.setVisible(False)
        self._start.setEnabled(False)

    def _listen(self, line: str) -> None:
        told = json.loads(line)
        if "model" in told:
            self.name = told["model"]
            return
        done, total = told["done"], told["total"]
        self._bar.setMaximum(_PARTS if total else 0)
        self._bar.setValue(_PARTS * done // total if total else 0)
        words = f"{done / 1e6:.1f} MB" + (f" of {total / 1e6:.1f} MB" if total else "")
        self._words.setText(f"{words} fetched…" if done != total else "Fetched; it is made a model…")

    def _ended(self, code: int, sentence: str) -> None:
        self._child = None
        self._show_busy(False)
        if code == 0:
            self.accept()
        else:
            self._words.setText(sentence)

    def _show_busy(self, busy: bool) -> None:
        self._bar.setVisible(busy)
        self._bar.setValue(0)
        self._list.setEnabled(not busy)
        self._unverified.setEnabled(not busy)
        self._start.setEnabled(not busy)


def _summary(entry: Published) -> str:
    parts = [entry.origin]
    if entry.by_hand:
        parts.insert(0, "only in a browser")
    elif not entry.is_checked:
        parts.insert(0, "no checksum is published")
    if entry.megabytes is not None:
        parts.insert(0, f"{entry.megabytes:.0f} MB")
    return " · ".join(parts)
