"""`detect` as a process of its own: what it imports, how it is stopped or dies, what a terminal shows."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.app.outputs import count_and_seconds, lines_of, names, pictures
from tests.app.rtsp import server_process
from tests.app.videos import eventually

ROOT = Path(__file__).resolve().parents[2]


class Running:
    """The command as a process of its own."""

    def __init__(self, home: Path, *arguments: object, **options: Any) -> None:
        command = [sys.executable, "main.py", "detect", *map(str, arguments), "--model", "coco"]
        self.process = subprocess.Popen(
            [*command, "--engine", "openvino"], cwd=ROOT, env=os.environ | {"SSD_STUDIO_HOME": str(home)},
            stdout=subprocess.PIPE, stderr=options.pop("stderr", subprocess.PIPE), text=True, **options,
        )  # fmt: skip

    def __enter__(self) -> "subprocess.Popen[str]":
        return self.process

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.communicate()


def test_openvino_needs_neither_tensorflow_nor_keras_nor_qt(coco_home: Path, walk: Path) -> None:
    code = (
        "import sys, main; code = main.main(sys.argv[1:]); "
        "print(code, [name for name in ('tensorflow', 'keras', 'jax', 'PyQt5') if name in sys.modules])"
    )
    arguments = [
        "detect",
        str(walk),
        "--model",
        "coco",
        "--max-frames",
        "3",
        "--engine",
        "openvino",
        "--quiet",
    ]
    environment = os.environ | {"SSD_STUDIO_HOME": str(coco_home)}
    said = subprocess.check_output(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, env=environment, text=True
    )
    assert said == "0 []\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_it_leaves_complete_files_and_says_what_was_written(
    coco_home: Path, walk: Path, tmp_path: Path, number: signal.Signals
) -> None:
    recording, lines = tmp_path / "o.mp4", tmp_path / "o.jsonl"
    with Running(coco_home, walk, "--record", recording, "--json", lines) as process:
        assert eventually(lambda: lines.exists() and len(lines.read_bytes().splitlines()) > 30, 60)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "")
    assert out.startswith("Stopped: ")
    written = len(lines_of(lines))
    assert 30 < written < 1394
    assert f"o.mp4 ({written} frames" in out
    assert count_and_seconds(recording)[0] == written
    assert names(tmp_path) == ["o.jsonl", "o.mp4"]


def test_a_signal_ends_the_recording_of_a_stream_with_a_finished_file(
    coco_home: Path, shared: Path, walk: Path, tmp_path: Path
) -> None:
    recording = tmp_path / "o.mp4"
    with (
        server_process(shared, walk) as (url, _),
        Running(coco_home, url, "--record", recording) as process,
    ):
        part = tmp_path / "o.part.mkv"
        assert eventually(lambda: part.exists() and part.stat().st_size > 50_000, 60)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
        assert time.monotonic() - began < 4.0
    assert (process.returncode, err) == (130, "")
    assert f"o.mp4 ({count_and_seconds(recording)[0]} frames" in out
    assert names(tmp_path) == ["o.mp4"]


def test_kill_9_leaves_what_was_written_up_to_the_last_second(
    coco_home: Path, walk: Path, tmp_path: Path
) -> None:
    recording, lines = tmp_path / "o.mp4", tmp_path / "o.jsonl"
    with Running(coco_home, walk, "--record", recording, "--json", lines) as process:
        assert eventually(lambda: lines.exists() and len(lines.read_bytes().splitlines()) > 60, 60)
        process.kill()
        process.wait()
    written = len(lines_of(lines))  # a line is written after the frame, so each has been recorded
    assert sum(1 for _ in pictures(tmp_path / "o.part.mkv")) >= written - 10  # ten a second
    assert names(tmp_path) == ["o.jsonl", "o.part.mkv"]


def test_a_reader_that_goes_away_ends_it_without_a_traceback(
    coco_home: Path, walk: Path, tmp_path: Path
) -> None:
    with Running(coco_home, walk, "--json", "-", "--record", tmp_path / "o.mp4") as process:
        assert process.stdout
        assert process.stdout.readline().startswith('{"source"')
        process.stdout.close()
        assert process.stderr
        assert "Traceback" not in process.stderr.read()
        assert process.wait(20) == 0
    assert names(tmp_path) == ["o.mp4"], "what was recorded until then is complete"


def test_a_terminal_shows_progress_with_speed_and_time_left(coco_home: Path, walk: Path) -> None:
    ours, theirs = pty.openpty()
    with Running(coco_home, walk, "--max-frames", 60, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
        assert process.wait(20) == 0
    os.close(ours)
    text = shown.decode()
    assert "one-by-on…ection.mp4" in text
    assert "60 frames, " in text
    assert "frames/s" in text
    assert re.search(r"00:0\d.* left", text)
