"""What is kept of a run: redacted, for its owner alone, and never in the way."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(script: str, *before: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """With the log configured as `main.py` does it; `logger` is there.

    before  the command that runs it
    """
    begin = (
        "import logging, os, threading; from app.logs import *;"
        "configure_logs(os.environ.get('SSD_STUDIO_LOG', 'WARNING')); logger = logging.getLogger('porch')\n"
    )
    return subprocess.run(
        [*before, sys.executable, "-c", begin + script],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


def log(home: Path) -> str:
    return (home / "logs" / "ssd-studio.log").read_text()


FAIL = """
def fail():
    raise KeyError('rtsp://cam:hunter2@porch/live')
"""


def test_the_log_is_redacted_and_its_owners_alone(studio_home):
    said = run("logger.info('opened %s', 'rtsp://cam:hunter2@porch/live')")
    assert said.stderr == ""
    assert log(studio_home).endswith("INFO porch: opened rtsp://***@porch/live\n")
    path = studio_home / "logs" / "ssd-studio.log"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_an_exception_in_a_thread_is_one_sentence_on_stderr_and_a_traceback_in_the_log(studio_home):
    said = run(
        FAIL + "thread = threading.Thread(target=fail); thread.start(); thread.join(); print('goes on')"
    )
    assert said.stdout == "goes on\n"
    assert len(said.stderr.splitlines()) == 1 and "A part of the program failed (KeyError)" in said.stderr
    assert "Traceback" in log(studio_home) and "rtsp://***@porch/live" in log(studio_home)
    assert "hunter2" not in said.stderr + log(studio_home)


def test_a_defect_is_one_sentence_that_names_the_log(studio_home):
    said = run(FAIL + "try: fail()\nexcept Exception as error: print(report_defect(error))")
    assert said.stderr == "" and str(studio_home / "logs" / "ssd-studio.log") in said.stdout
    assert "Traceback" in log(studio_home) and "hunter2" not in said.stdout + log(studio_home)


def test_who_asks_for_more_gets_tracebacks_on_stderr_too():
    said = run(FAIL + "try: fail()\nexcept KeyError: logger.exception('x')", SSD_STUDIO_LOG="INFO")
    assert "Traceback" in said.stderr


def test_a_long_log_begins_anew_and_the_one_before_is_kept(studio_home):
    run("import app.logs; app.logs._LONGEST = 300\nfor n in range(7): logger.warning('%d %s', n, 'x' * 60)")
    before = (studio_home / "logs" / "ssd-studio.old.log").read_text()
    assert "5 xxx" in before and "6 xxx" in log(studio_home)
    assert "0 xxx" not in before + log(studio_home)


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
def test_a_log_that_cannot_be_written_stops_nothing(studio_home):
    before = ()
    if os.geteuid() == 0:  # root writes anywhere, unless it gives that right away
        if shutil.which("setpriv") is None:
            pytest.skip("needs setpriv where tests run as root")
        before = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
    studio_home.mkdir(mode=0o500)
    said = run("logger.warning('said all the same')", *before)
    assert not list(studio_home.iterdir())
    assert said.returncode == 0 and said.stderr == "WARNING porch: said all the same\n"


def test_a_folder_in_the_place_of_the_log_stops_nothing(studio_home):
    (studio_home / "logs" / "ssd-studio.log").mkdir(parents=True)
    said = run("logger.warning('said all the same')")
    assert said.returncode == 0 and said.stderr == "WARNING porch: said all the same\n"


def test_a_crash_of_a_library_leaves_where_it_stood(studio_home):
    said = run("keep_crashes(); import ctypes; ctypes.string_at(0)")
    assert said.returncode < 0
    crash = studio_home / "logs" / "crashes.txt"
    assert "Fatal Python error: Segmentation fault" in crash.read_text()
    assert stat.S_IMODE(crash.stat().st_mode) == 0o600
