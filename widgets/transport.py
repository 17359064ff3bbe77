"""The bar under the picture: play, step, the time line, speed, snapshot, record."""

from collections.abc import Mapping

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtWidgets import QAction, QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from widgets.icons import icon
from widgets.seek_bar import SeekBar, clock

_LEFT = ("toggle_pause", "step_back", "step_forward")
_RIGHT = ("take_snapshot", "toggle_recording", "toggle_boxes", "toggle_panel", "toggle_full_screen")


class Transport(QFrame):
    """Buttons for actions of the window.

    sought  seconds of the file the person asked for
    """

    sought = pyqtSignal(float)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transport")
        self.setAccessibleName("Playback")
        self._actions = actions
        self._buttons = {name: action_button(actions[name]) for name in _LEFT + _RIGHT}
        self._state = QLabel()
        self._time, self._duration = QLabel(), QLabel()
        for label, name in ((self._time, "Time"), (self._duration, "Length")):
            label.setProperty("rank", "muted")
            label.setAccessibleName(name)
        self.seek_bar = SeekBar()
        self.seek_bar.sought.connect(self.sought)
        self.speed = QToolButton(text="1×", popupMode=QToolButton.InstantPopup)
        self.speed.setToolTip("Speed ([ slower, ] faster, Backspace normal)")
        self.speed.setAccessibleName("Speed")
        self.speed.setFocusPolicy(Qt.TabFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 5, 10, 5)
        row.setSpacing(4)
        for name in _LEFT:
            row.addWidget(self._buttons[name])
        row.addSpacing(8)
        row.addWidget(self._time)
        row.addSpacing(4)
        row.addWidget(self._state, 1)
        row.addWidget(self.seek_bar, 1)
        row.addSpacing(4)
        row.addWidget(self._duration)
        row.addSpacing(4)
        row.addWidget(self.speed)
        for name in _RIGHT:
            row.addWidget(self._buttons[name])

    def show_playing(self, *, standing: bool, speed: float) -> None:
        action = self._actions["toggle_pause"]
        action.setIcon(icon("play" if standing else "pause"))
        self._buttons["toggle_pause"].setAccessibleName("Play" if standing else "Pause")
        self.speed.setText(f"{speed:g}×")

    def show_position(self, seconds: float, duration: float | None) -> None:
        """Of a file; without a duration there is no time line."""
        self._time.setText(clock(seconds))
        self._duration.setText(clock(duration) if duration else "")
        if duration:
            self.seek_bar.show_time(seconds, duration)

    def show_kind(self, *, live: bool, seekable: bool, timed: bool, words: str) -> None:
        """What this kind of source can do.

        timed  it has a length
        words  stand where the time line would be
        """
        for name in ("step_back", "step_forward"):
            self._buttons[name].setVisible(not live)
        self._buttons["step_back"].setEnabled(seekable)
        self.speed.setVisible(not live)
        for widget in (self.seek_bar, self._duration):
            widget.setVisible(timed and not live)
        self._time.setVisible(not live)
        self.seek_bar.setEnabled(seekable)
        self._state.setVisible(not (timed and not live))
        self._state.setText(words)


def action_button(action: QAction) -> QToolButton:
    """Does what a row of the table of actions says."""
    button = QToolButton()
    button.setDefaultAction(action)
    button.setIconSize(QSize(22, 22))
    button.setFocusPolicy(Qt.TabFocus)  # a click must not take Space away from play and pause
    button.setAccessibleName(action.iconText().rstrip("…"))
    return button
