"""Asks how recordings are to be made; the same for all sources, from the next recording on."""

from dataclasses import replace
from functools import partial

from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.keeping import Wishes, folder_of
from app.recording.disk import duration_words, free_bytes, seconds_left, size_words
from app.recording.plan import Mode
from widgets.errand import Errand, Reply
from widgets.labels import form, label

_MODES = {
    Mode.ANNOTATED: "With its boxes drawn in",
    Mode.CLEAN: "As the camera sees it",
    Mode.SIDECAR: "As the camera sees it, boxes in a file beside it",
}
_TYPICAL = 500_000  # bytes a second: a camera of 4 Mbit/s


class RecordingDialog(QDialog):
    """Modal to its window.

    wishes  as they are now
    folder  where recordings go; empty: the person's videos
    """

    def __init__(self, wishes: Wishes, folder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Recordings")
        self.setMinimumWidth(520)
        self._wishes = wishes
        self.mode = QComboBox()
        for mode, words in _MODES.items():
            self.mode.addItem(words, mode.value)
        self.mode.setCurrentIndex(list(_MODES).index(Mode(wishes.mode)))
        self.mode.setToolTip("Boxes in a file can be shown, filtered and drawn in later")
        self.on_events = QCheckBox("Only while something is &seen, and around that")
        self.on_events.setChecked(wishes.on_events)
        self.on_events.setToolTip("What is seen are the chosen classes above the minimum score")
        self.pre_roll = _number(wishes.pre_roll, 60, " s before it")
        self.post_roll = _number(wishes.post_roll, 3600, " s after it")
        self.segments = _number(wishes.segment_minutes, 1440, " minutes", before="every ", zero="never")
        self.quota = _number(wishes.quota_gb, 100_000, " GB", before="at most ", zero="no limit")
        self.keep_days = _number(wishes.keep_days, 3650, " days", before="for ", zero="for ever")
        self.folder = QLineEdit(str(folder_of(folder)))
        self.folder.textChanged.connect(self._say_room)
        browse = QPushButton("Choose…")
        browse.clicked.connect(self._browse)
        self._room = label(rank="muted", wrap=True)
        self._looking = Errand(self, "look for room")
        self._looking.slow.connect(lambda: self._room.setText("The disk does not answer."))
        self.on_events.toggled.connect(self._enable)
        buttons = QDialogButtonBox(QDialogButtonBox.Ok | QDialogButtonBox.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        place, rolls = QHBoxLayout(), QHBoxLayout()
        place.addWidget(self.folder, 1)
        place.addWidget(browse)
        rolls.addWidget(self.pre_roll)
        rolls.addWidget(self.post_roll)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(12)
        column.addLayout(form([("&Video", self.mode, None)]))
        column.addWidget(self.on_events)
        column.addLayout(rolls)
        column.addLayout(
            form(
                [
                    ("A &new file", self.segments, None),
                    ("All &together", self.quota, None),
                    ("&Keep them", self.keep_days, None),
                ]
            )
        )
        column.addWidget(label("The oldest are deleted first, starred ones never.", rank="muted"))
        column.addLayout(place)
        column.addWidget(self._room)
        column.addWidget(buttons)
        self._enable(wishes.on_events)
        self._say_room()

    @property
    def wishes(self) -> Wishes:
        """As they were chosen."""
        return replace(
            self._wishes,
            mode=self.mode.currentData(),
            on_events=self.on_events.isChecked(),
            pre_roll=self.pre_roll.value(),
            post_roll=self.post_roll.value(),
            segment_minutes=self.segments.value(),
            quota_gb=self.quota.value(),
            keep_days=self.keep_days.value(),
        )

    @property
    def chosen_folder(self) -> str:
        """Empty where it is the person's own place for videos."""
        text = self.folder.text().strip()
        return "" if text == str(folder_of("")) else text

    def _enable(self, on_events: bool) -> None:
        self.pre_roll.setEnabled(on_events)
        self.post_roll.setEnabled(on_events)

    def _browse(self) -> None:
        dialog = QFileDialog(self, "Folder for recordings", self.folder.text())
        dialog.setFileMode(QFileDialog.Directory)
        dialog.fileSelected.connect(self.folder.setText)
        dialog.open()

    def _say_room(self) -> None:
        self._looking.begin(partial(self._look, self.folder.text()))

    def _look(self, text: str) -> Reply:
        """In a thread of its own."""
        try:
            free = free_bytes(folder_of(text.strip()))
        except (RuntimeError, ValueError):  # "~nobody", while it is typed
            free = None
        return partial(self._show_room, text, free)

    def _show_room(self, text: str, free: int | None) -> None:
        if text != self.folder.text():  # more was typed meanwhile
            self._say_room()
        elif free is None:
            self._room.setText("")
        else:
            lasts = seconds_left(free, self._wishes.plan().limits, _TYPICAL) or 0.0
            self._room.setText(
                f"{size_words(free)} are free there, about {duration_words(lasts)} of a usual camera."
            )


def _number(value: float, most: float, unit: str, *, before: str = "", zero: str = "") -> QDoubleSpinBox:
    """zero  what 0 means, where it means something else"""
    box = QDoubleSpinBox()
    box.setDecimals(0)
    box.setRange(0, most)
    box.setPrefix(before)
    box.setSuffix(unit)
    box.setMinimumHeight(box.fontMetrics().height() + 14)
    if zero:
        box.setSpecialValueText(zero)
    box.setValue(value)
    return box
