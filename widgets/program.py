"""The window program from its first line to its last."""

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from detector.errors import StudioError
from widgets import qt_environment
from widgets.start_up import note_once

if TYPE_CHECKING:
    from detector.model_store import Model

logger = logging.getLogger(__name__)


def run_window(
    sources: Sequence[str],
    *,
    model: str | None,
    record: str | None = None,
    force: bool = False,
    blur: str | None = None,
    capture: str = "auto",
) -> int:
    """Opens the window and returns when it is closed.

    sources  what to watch at once, side by side where there are several; none: the start page
    model    the name of the model to use; None: the one used last
    record   an MP4 to write from the first frame
    force    replace that MP4 if it exists
    blur     names of classes, with commas between them; their objects are made unrecognisable
    capture  how files and streams are read; see `open_source`
    returns  the exit code
    raises   DisplayError when no window can open here; ModelError, OptionError and RecordingError when
             what was asked for cannot be
    """
    qt_environment.prepare()
    from app.settings import Settings
    from app.sources import check_capture, warm_up

    check_capture(capture)
    warm_up()  # a decoder starts while the window does
    settings = Settings.load()
    target = _checked_target(sources, record, force=force)
    wanted = _wanted_model(model, settings.model)
    blurred = tuple(name.strip() for name in blur.split(",")) if blur else ()
    if wanted:
        wanted.labels.class_ids(blurred)  # a name that is misspelt would leave everything blurred

    from PyQt5.QtCore import Qt
    from PyQt5.QtWidgets import QApplication

    from widgets import theme
    from widgets.mishaps import Mishaps

    mishaps = Mishaps()
    mishaps.install()
    QApplication.setAttribute(Qt.AA_EnableHighDpiScaling)
    QApplication.setAttribute(Qt.AA_UseHighDpiPixmaps)
    QApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    application = QApplication([sys.argv[0]])
    application.setApplicationName("SSD Studio")
    application.setDesktopFileName("ssd-studio")
    theme.apply(application, settings.theme)

    from widgets.model_chooser import ModelChooser
    from widgets.window import Window

    window = Window(ModelChooser(wanted=wanted), settings, capture=capture, blur=blurred)
    mishaps.happened.connect(window.say_mishap)
    with _closing_on_signals(window.close):  # from before it can be seen
        window.show()
        note_once("Window shown")
        if len(sources) > 1:
            window.together.open(sources)
        elif sources:
            window.open_source(sources[0], record=target, force=force)
        code = int(application.exec_())
    caught = window.caught
    del window  # before the application: widgets that outlive it crash
    if caught:  # a thread in a call that cannot be interrupted would hold up, or crash, an orderly exit
        logger.warning("%s did not end in time and is left behind", ", ".join(caught))
        logging.shutdown()
        os._exit(code)
    return code


def _wanted_model(name: str | None, last_used: str) -> "Model | None":
    """The one that was named must be there; the one used last may be gone."""
    from detector.model_store import default_model, find_model

    if name:
        return find_model(name)
    try:
        return find_model(last_used) if last_used else default_model()
    except StudioError as error:  # the start page offers what there is
        logger.info("%s", error)
        return None


def _checked_target(sources: Sequence[str], record: str | None, *, force: bool) -> Path | None:
    if record is None:
        return None
    from app.recording import check_target
    from app.source_sets import expand
    from detector.errors import OptionError

    if len(expand(sources)) != 1:
        raise OptionError(
            "--record needs one SOURCE to record; 'python main.py record' takes several, "
            "and the window begins a recording at any time."
        )
    check_target(Path(record), force=force)
    return Path(record)


@contextmanager
def _closing_on_signals(close: Callable[[], object]) -> Iterator[None]:
    """Ctrl-C and SIGTERM are like closing the window.

    A Python signal handler runs only when Python does, and in Qt's loop it may not for minutes: so each
    signal also writes to a socket that Qt watches. It runs in the midst of anything, a lock held there
    included: closing waits until the loop comes round.
    """
    from PyQt5.QtCore import QSocketNotifier, QTimer

    reading, writing = socket.socketpair()
    for end in (reading, writing):
        end.setblocking(False)
    notifier = QSocketNotifier(reading.fileno(), QSocketNotifier.Read)
    notifier.activated.connect(lambda: reading.recv(64))
    wakeup = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    handlers = {
        number: signal.signal(number, lambda *_: QTimer.singleShot(0, close))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        notifier.setEnabled(False)
        reading.close()
        writing.close()
