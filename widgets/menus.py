"""Menus, keys and tooltips, made from the table of actions."""

from collections.abc import Callable, Mapping
from functools import partial

from PyQt5.QtCore import QEvent, QObject, Qt
from PyQt5.QtGui import QKeyEvent, QKeySequence
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAction,
    QActionGroup,
    QMainWindow,
    QMenu,
    QWidget,
)

from widgets.actions import ACTIONS
from widgets.icons import icon
from widgets.seek_bar import SeekBar


def make_actions(window: QMainWindow, *doers: QObject) -> dict[str, QAction]:
    """A QAction for each row of the table; the first of `doers` that has the method does it."""
    made = {}
    for row in ACTIONS:
        do = next(getattr(doer, row.name) for doer in doers if hasattr(doer, row.name))
        action = QAction(row.text, window)
        action.setShortcuts([QKeySequence(key) for key in row.keys])
        action.setToolTip(row.hint)
        if row.icon:
            action.setIcon(icon(row.icon, tone_on="record" if row.name == "toggle_recording" else "accent"))
        if row.checkable:
            action.setCheckable(True)
            (action.triggered if row.follows else action.toggled).connect(do)
        else:
            action.triggered.connect(lambda _checked, do=do: do())
        action.setAutoRepeat(not row.checkable)
        window.addAction(action)  # so that its keys work while the menu bar is hidden
        made[row.name] = action
    return made


def fill_menu_bar(window: QMainWindow, actions: Mapping[str, QAction]) -> dict[str, QMenu]:
    """All actions in their menus; the menus by name, for what is added to them later."""
    bar = window.menuBar()
    menus: dict[str, QMenu] = {}
    for row in ACTIONS:
        if row.menu not in menus:
            menu = bar.addMenu(f"&{row.menu}")
            menus[row.menu] = menu
        if row.separated:
            menus[row.menu].addSeparator()
        menus[row.menu].addAction(actions[row.name])
    return menus


def add_choices(
    menu: QMenu, title: str, choices: Mapping[str, str], choose: Callable[[str], None]
) -> dict[str, QAction]:
    """A submenu of which one row is ticked; its actions by choice.

    choices  choice -> as the menu says it
    """
    rows = menu.addMenu(title)
    group = QActionGroup(rows)
    made = {}
    for choice, words in choices.items():
        made[choice] = action = group.addAction(words)
        action.setCheckable(True)
        action.triggered.connect(partial(choose, choice))
        rows.addAction(action)
    return made


class OwnKeys(QObject):
    """Lets the focused slider, list or button have its keys, though the window has actions for them too."""

    _MOVES = frozenset({Qt.Key_Up, Qt.Key_Down, Qt.Key_PageUp, Qt.Key_PageDown, Qt.Key_Home, Qt.Key_End})
    _KEYS = (
        (QAbstractSlider, _MOVES | {Qt.Key_Left, Qt.Key_Right}),
        (QAbstractItemView, _MOVES | {Qt.Key_Space}),
        (QAbstractButton, frozenset({Qt.Key_Space})),
    )

    def watch_over(self, window: QWidget) -> None:
        for kind, _ in self._KEYS:
            for widget in window.findChildren(kind):
                if not isinstance(widget, SeekBar):  # its arrows are the window's
                    widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.ShortcutOverride:
            for kind, keys in self._KEYS:
                if isinstance(watched, kind) and event.key() in keys and not event.modifiers():
                    event.accept()
        return False
