"""A person before a window."""

from collections.abc import Callable

from PyQt5.QtCore import Qt

from app.pipeline import View
from tests.app.videos import read_number
from widgets.window import Window


class Person:
    """Opens a window and waits for what they see in it."""

    def __init__(self, qtbot: object, window: Window) -> None:
        self.window, self.bot = window, qtbot

    @property
    def view(self) -> View:
        watched = self.window.page.watched()
        assert watched, "nothing is being watched"
        return watched[0].latest()

    def sees(self, condition: Callable[[View], object]) -> View:
        self.bot.waitUntil(lambda: bool(condition(self.view)))  # type: ignore[attr-defined]
        return self.view

    def presses(self, key: int, modifier: int = Qt.NoModifier) -> None:
        """Once the window has the keys: it need not have them as soon as it is shown."""
        self.window.activateWindow()
        self.bot.waitUntil(self.window.isActiveWindow)  # type: ignore[attr-defined]
        self.bot.keyClick(self.window.page.view, key, modifier)  # type: ignore[attr-defined]

    def number(self) -> int:
        frame = self.view.frame
        return read_number(frame.pixels) if frame else -1
