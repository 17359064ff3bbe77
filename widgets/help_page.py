"""The keys, from the table of actions; and what this program is."""

import html

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from widgets.actions import ACTIONS, shown_key
from widgets.icons import program_icon
from widgets.labels import label

_ABOUT = """\
Watch video with an SSD detector, record it, and train the detector on your own photographs.

Nothing connects before you say so: no account, no telemetry, no update check. Pictures of people may be \
protected by law where you live; ask before you record them.

Free software under the GNU General Public License, version 3 or later. Each model has a licence of its own, \
shown with its name."""


class KeysDialog(QDialog):
    """Every key, by menu, in two columns."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        columns = QHBoxLayout()
        columns.setSpacing(40)
        for menus in (("File", "Playback"), ("Detection", "View", "Help")):
            column = QVBoxLayout()
            column.setSpacing(6)
            for menu in menus:
                column.addWidget(label(menu, "strong"))
                column.addLayout(_keys_of(menu))
                column.addSpacing(12)
            column.addStretch(1)
            columns.addLayout(column)
        _finish(self, columns)


class AboutDialog(QDialog):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About SSD Studio")
        mark = QLabel()
        mark.setPixmap(program_icon().pixmap(64, 64))
        row = QHBoxLayout()
        row.setSpacing(18)
        row.addWidget(mark, 0, Qt.AlignTop)
        words = QVBoxLayout()
        words.addWidget(label("SSD Studio", "title"))
        about = label(_ABOUT, wrap=True)
        about.setFixedWidth(48 * about.fontMetrics().averageCharWidth())
        about.setFixedHeight(about.heightForWidth(about.width()))
        words.addWidget(about)
        row.addLayout(words, 1)
        _finish(self, row)


def _keys_of(menu: str) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(18)
    grid.setVerticalSpacing(4)
    rows = [row for row in ACTIONS if row.menu == menu and row.keys]
    for line, row in enumerate(rows):
        keys = ", ".join(f"<b>{html.escape(shown_key(key))}</b>" for key in row.keys)
        grid.addWidget(QLabel(keys), line, 0, Qt.AlignRight)
        grid.addWidget(label(row.tip or row.text.rstrip("…"), "muted"), line, 1)
    grid.setColumnMinimumWidth(0, 14 * QLabel().fontMetrics().averageCharWidth())
    grid.setColumnStretch(1, 1)
    return grid


def _finish(dialog: QDialog, content: QHBoxLayout) -> None:
    buttons = QDialogButtonBox(QDialogButtonBox.Close)
    buttons.rejected.connect(dialog.reject)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(24, 20, 24, 16)
    column.setSpacing(16)
    column.addLayout(content)
    column.addWidget(buttons)
