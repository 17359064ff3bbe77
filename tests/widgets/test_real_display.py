"""The program on a real X display (Xvfb), in a process of its own, with the GUI wheel of OpenCV present."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.app.videos import eventually, write_video
from widgets import qt_environment

ROOT = Path(__file__).resolve().parents[2]
MISSING = [
    package for library, package in qt_environment._LIBRARIES.items() if not qt_environment._loads(library)
]
pytestmark = [
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs Xvfb (apt install xvfb)"),
    pytest.mark.skipif(bool(MISSING), reason=f"needs system libraries (apt install {' '.join(MISSING)})"),
]


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """An X server on a display of its own."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1920x1200x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        with os.fdopen(reading) as number:
            yield f":{number.readline().strip()}"
        server.terminate()


@contextmanager
def program(display: str, tmp_path: Path, *arguments: str) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """The program as a person starts it, and the file of what it says."""
    said = tmp_path / "said.txt"
    hidden = ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"DISPLAY": display, "SSD_STUDIO_LOG": "INFO"}
    with (
        said.open("w") as sink,
        subprocess.Popen(
            [sys.executable, "main.py", *arguments], cwd=ROOT, env=environment, stderr=sink, text=True
        ) as process,
    ):
        try:
            yield process, said
        finally:
            process.kill()


def screen(display: str, to: Path) -> np.ndarray:
    """What is on the display, (height, width, 3) BGR."""
    script = (
        "import sys; from widgets import qt_environment; qt_environment.prepare();"
        "from PyQt5.QtWidgets import QApplication; a = QApplication(['x']);"
        "assert a.platformName() == 'xcb';"
        "a.primaryScreen().grabWindow(0).save(sys.argv[1])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "QT_QPA_PLATFORM"}
    environment["DISPLAY"] = display
    subprocess.run([sys.executable, "-c", script, str(to)], cwd=ROOT, env=environment, check=True)
    return cv2.imread(str(to))


def test_a_video_is_on_the_screen_and_sigterm_closes_like_a_person(display, tmp_path):
    write_video(tmp_path / "clip.mp4", 250)
    with program(display, tmp_path, str(tmp_path / "clip.mp4")) as (process, said):
        assert eventually(lambda: "First picture painted" in said.read_text() or process.poll(), 30)
        assert process.poll() is None, said.read_text()
        pixels = screen(display, tmp_path / "screen.png")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    bright = (pixels[..., 2] > 200) & (pixels[..., 0] < 150) & (pixels[..., 1] > 180)  # the yellow square
    assert bright.sum() > 500
    assert "Traceback" not in said.read_text()


def test_control_c_while_recording_leaves_a_finished_file(display, tmp_path):
    write_video(tmp_path / "clip.mp4", 250)
    with program(display, tmp_path, str(tmp_path / "clip.mp4"), "--record", str(tmp_path / "out.mp4")) as (
        process,
        said,
    ):
        part = tmp_path / "out.part.mkv"
        assert eventually(lambda: (part.exists() and part.stat().st_size > 2000) or process.poll(), 30)
        assert process.poll() is None, said.read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    with av.open(str(tmp_path / "out.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) > 5
    assert not part.exists()


def test_a_recording_that_cannot_be_written_is_refused_before_a_window_opens(display, tmp_path):
    write_video(tmp_path / "clip.mp4", 5)
    target = tmp_path / "none" / "out.mp4"
    with program(display, tmp_path, str(tmp_path / "clip.mp4"), "--record", str(target)) as (process, said):
        assert process.wait(20) == 1
    assert str(tmp_path / "none") in said.read_text()


def test_a_model_that_is_not_there_is_refused_before_a_window_opens(display, tmp_path):
    with program(display, tmp_path, "--model", "no-such-model") as (process, said):
        assert process.wait(20) == 1
    assert "error: There is no model 'no-such-model'" in said.read_text()


def test_a_second_start_while_recording_does_not_harm_the_first(display, tmp_path, studio_home):
    write_video(tmp_path / "clip.mp4", 1500)
    clip, target = str(tmp_path / "clip.mp4"), str(tmp_path / "out.mp4")
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
    with program(display, tmp_path / "first", clip, "--record", target) as (first, said):
        assert eventually(lambda: _recorded(tmp_path) > 2000 or first.poll(), 60), said.read_text()
        with program(display, tmp_path / "second", clip, "--record", target, "--force") as (same, words):
            assert same.wait(60) == 1
            assert "is being written by another recording" in words.read_text()
        with program(display, tmp_path / "second", clip) as (second, words):
            assert eventually(lambda: "First picture painted" in words.read_text() or second.poll(), 60)
            second.send_signal(signal.SIGTERM)
            assert second.wait(20) == 0, words.read_text()
        before = _recorded(tmp_path)
        assert eventually(lambda: _recorded(tmp_path) > before or first.poll(), 30)
        first.send_signal(signal.SIGINT)
        assert first.wait(20) == 0, said.read_text()
    with av.open(target) as video:
        assert sum(1 for _ in video.decode(video=0)) > 20


def _recorded(folder: Path) -> int:
    """Bytes of the recording so far."""
    part = folder / "out.part.mkv"
    return part.stat().st_size if part.exists() else 0


@pytest.mark.slow  # TensorFlow loads
def test_closing_during_a_first_conversion_leaves_no_process(display, tmp_path, coco_home, monkeypatch):
    shutil.copytree(coco_home / "models", tmp_path / "home" / "models")
    monkeypatch.setenv("SSD_STUDIO_HOME", str(tmp_path / "home"))
    write_video(tmp_path / "clip.mp4", 250)
    with program(display, tmp_path, str(tmp_path / "clip.mp4"), "--model", "coco") as (process, said):
        assert eventually(lambda: _converting(process.pid) or process.poll(), 60), said.read_text()
        children = _converting(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, said.read_text()
    assert "left behind" not in said.read_text()
    assert eventually(lambda: not any(Path(f"/proc/{child}/cmdline").exists() for child in children), 5)


def _converting(parent: int) -> list[int]:
    """The processes of a program that convert a model."""
    commands = Path("/proc").glob("[0-9]*/cmdline")
    numbers = [int(path.parent.name) for path in commands if b"detector.engines.convert" in _read(path)]
    return [number for number in numbers if f"PPid:\t{parent}\n".encode() in _read(f"/proc/{number}/status")]


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:  # it has ended
        return b""
