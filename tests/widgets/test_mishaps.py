"""An exception anywhere is logged and said, and the program goes on."""

import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from detector.errors import SourceError
from widgets.mishaps import Mishaps

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def mishaps(monkeypatch):
    """Installed for one test."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    mishaps = Mishaps()
    mishaps.install()
    yield mishaps
    from PyQt5.QtCore import qInstallMessageHandler

    qInstallMessageHandler(None)


def fail(error: Exception) -> None:
    raise error


def test_an_exception_in_a_thread_is_a_sentence_and_a_traceback_in_the_log(mishaps, qtbot, caplog):
    with qtbot.waitSignal(mishaps.happened) as happened:
        thread = threading.Thread(target=fail, args=[KeyError("x")])
        thread.start()
    thread.join()
    assert happened.args == ["Something went wrong (KeyError); the program goes on. The log says more."]
    assert "Traceback" in caplog.text


def test_what_a_person_can_mend_is_said_as_it_is_without_passwords(mishaps, qtbot):
    with qtbot.waitSignal(mishaps.happened) as happened:
        sys.excepthook(SourceError, SourceError("rtsp://cam:hunter2@porch is gone."), None)
    assert happened.args == ["rtsp://***@porch is gone."]


def test_the_same_mishap_is_told_once(mishaps, caplog):
    told = []
    mishaps.happened.connect(told.append)
    for _ in range(3):
        try:
            fail(ValueError("again"))
        except ValueError as error:
            sys.excepthook(ValueError, error, error.__traceback__)
    assert len(told) == 1
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1


def test_an_exception_in_a_slot_does_not_end_the_program():
    """In a process of its own: pytest-qt has a hook of its own in this one."""
    script = """
from widgets import qt_environment; qt_environment.prepare()
from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication
from widgets.mishaps import Mishaps
mishaps = Mishaps(); mishaps.install()
application = QApplication(["x"])
mishaps.happened.connect(print)
def fail(): raise RuntimeError("in a slot")
QTimer.singleShot(0, fail)
QTimer.singleShot(50, application.quit)
application.exec_()
print("went on")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "went on" and "RuntimeError" in done.stdout
