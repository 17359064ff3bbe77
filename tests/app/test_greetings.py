"""What libraries write while they load stays away from people, unless loading fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.greetings import without_greetings


def test_nothing_is_shown_of_what_is_written_meanwhile(capfd: pytest.CaptureFixture[str]) -> None:
    with without_greetings():
        os.write(2, b"I0000 could not find a GPU\n")  # past Python, as a library does
    os.write(2, b"later\n")
    assert capfd.readouterr().err == "later\n"


def test_everything_is_shown_when_loading_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ImportError), without_greetings():
        os.write(2, b"missing symbol\n")
        raise ImportError
    assert capfd.readouterr().err == "missing symbol\n"


@pytest.mark.slow  # half a minute for importing TensorFlow and compiling
def test_detect_with_keras_says_its_own_words_only(coco_home: Path) -> None:
    command = [sys.executable, "main.py", "detect", str(coco_home / "blank.png"), "--engine", "keras"]
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"SSD_STUDIO_HOME": str(coco_home)}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")
