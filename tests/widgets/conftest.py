"""Windows of these tests are drawn without a display; tests/widgets/test_real_display.py has a real one."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from widgets import qt_environment

qt_environment.load_opencv()

from PyQt5.QtWidgets import QApplication  # noqa: E402
from pytestqt.qtbot import QtBot  # noqa: E402

from app.settings import Settings  # noqa: E402
from tests.app.videos import write_video  # noqa: E402
from tests.widgets.finding import FinderChooser  # noqa: E402
from tests.widgets.person import Person  # noqa: E402
from widgets import theme  # noqa: E402
from widgets.window import Window  # noqa: E402


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    return ["ssd-studio"]


class PatientBot(QtBot):
    """Waits for what must come; how fast it comes is another question, and machines are busy."""

    def waitUntil(self, callback: Callable[[], object], *, timeout: int = 60_000) -> None:
        super().waitUntil(callback, timeout=timeout)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> PatientBot:
    return PatientBot(request)


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> None:
    """Every test begins in the same look."""
    if theme.current() is not theme.DARK or not qapp.styleSheet():
        theme.apply(qapp, "dark")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Four seconds, 25 frames each, 192x96, a bright square that moves."""
    write_video(tmp_path / "clip.mp4", 100)
    return tmp_path / "clip.mp4"


@pytest.fixture
def open_window(qtbot: object) -> Iterator[Callable[..., Window]]:
    """Makes windows with the square finder as their model; closing them must take 3 s at most."""
    windows: list[Window] = []

    def make(chooser: FinderChooser | None = None, settings: Settings | None = None) -> Window:
        window = Window(chooser or FinderChooser(), settings or Settings())
        windows.append(window)
        window.show()
        return window

    yield make
    for window in windows:
        window.close()
        qtbot.waitUntil(window.isHidden, timeout=4000)  # type: ignore[attr-defined]
        assert not window.caught


@pytest.fixture
def person(qtbot, open_window) -> Person:
    return Person(qtbot, open_window())


@pytest.fixture
def watching(person: Person, clip: Path) -> Person:
    """Watches the clip, with the first boxes there."""
    person.window.open_source(str(clip))
    person.sees(lambda view: len(view.detections))
    return person
