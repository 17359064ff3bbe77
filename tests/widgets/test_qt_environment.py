"""Where no window can open, one sentence says why and what to do; the process is never aborted by Qt."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from detector.errors import DisplayError
from widgets import qt_environment

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Qt needs no help elsewhere")


def run(*command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """In an environment without any display but what is given."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_without_a_display_the_program_names_detect_and_exits_with_1():
    done = run("main.py")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("error: There is no screen")
    assert "python main.py detect" in done.stderr


def test_a_display_that_nobody_serves_is_a_sentence_too():
    done = run("main.py", DISPLAY=":4711")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and ":4711" in done.stderr


def test_xcb_asked_for_by_name_needs_a_display():
    done = run("main.py", QT_QPA_PLATFORM="xcb")
    assert done.returncode == 1 and "DISPLAY is not set" in done.stderr


def test_missing_libraries_are_named_as_the_packages_to_install(monkeypatch):
    monkeypatch.delenv("QT_QPA_PLATFORM")
    monkeypatch.setenv("DISPLAY", ":4711")
    monkeypatch.setitem(qt_environment._LIBRARIES, "libxcb-not-there.so.9", "libxcb-not-there9")
    monkeypatch.setitem(qt_environment._LIBRARIES, "libxcb-nor-this.so.0", "libxcb-nor-this0")
    with pytest.raises(DisplayError, match=r"apt install .*libxcb-not-there9 libxcb-nor-this0'"):
        qt_environment.prepare()


def test_the_list_of_libraries_is_complete():
    """What the plugin and the libraries of PyQt5 itself ask the system for, by the loader's own account."""
    import PyQt5

    qt = Path(PyQt5.__file__).parent / "Qt5"
    needed: set[str] = set()
    for file in (
        qt / "plugins/platforms/libqxcb.so",
        qt / "lib/libQt5XcbQpa.so.5",
        qt / "lib/libQt5Gui.so.5",
    ):
        needed |= _needed_by(file)
    ours = {path.name for path in (qt / "lib").iterdir()}
    base = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libgcc_s.so.1"}
    base |= {"libstdc++.so.6", "libz.so.1"} | {name for name in needed if name.startswith("ld-linux")}
    assert needed - ours - base <= set(qt_environment._LIBRARIES)


def _needed_by(library: Path) -> set[str]:
    """The DT_NEEDED names of a shared library, found as text: each is a word of the dynamic string table."""
    words = library.read_bytes().split(b"\0")
    return {word.decode() for word in words if word.startswith(b"lib") and b".so." in word and len(word) < 40}


def test_opencv_leaves_no_trace_in_the_environment_and_a_persons_own_settings_stay():
    script = (
        "import os; from widgets import qt_environment; qt_environment.load_opencv(); import sys;"
        "assert 'cv2' in sys.modules;"
        "print(os.environ.get('QT_QPA_PLATFORM_PLUGIN_PATH'), os.environ.get('QT_QPA_FONTDIR'))"
    )
    assert run("-c", script).stdout.split() == ["None", "None"]
    assert run("-c", script, QT_QPA_FONTDIR="/my/fonts").stdout.split() == ["None", "/my/fonts"]
    late = run("-c", "import cv2;" + script)  # somebody was earlier
    assert late.stdout.split() == ["None", "None"]
