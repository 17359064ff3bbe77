"""`record` when something cannot be ended: a thread in a library's call that is in no hurry."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.app.test_recording import ROOT
from tests.app.videos import write_video

PROGRAM = """
import sys
import cv2, numpy
import main
from app.commands import record_run

def never_ready(*_, **__):
    print("caught", flush=True)
    while True:  # each call lets go of the interpreter, and wants it back while it ends
        cv2.blur(numpy.zeros((500, 500, 3), numpy.uint8), (9, 9))

record_run.open_engine, record_run._END_WITHIN = never_ready, 0.5
sys.exit(main.main(["record", *sys.argv[1:]]))
"""


def test_a_model_that_is_never_ready_is_left_behind_without_a_crash(tmp_path: Path) -> None:
    write_video(tmp_path / "walk.mp4", 500)
    command = [sys.executable, "-c", PROGRAM, tmp_path / "walk.mp4", "--folder", tmp_path / "out"]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout and process.stdout.readline() == "caught\n"
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert "The detector did not end in time" in err
