"""Ctrl-C and SIGTERM at any moment of a start: the program ends without a traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are another thing there")

# Read by Python before main.py: the process sends itself a signal in the moment a module is imported.
_SITE = """
import os, signal, sys
def watch(event, details):
    if event == "import" and details[0] == os.environ["AT_IMPORT_OF"]:
        os.kill(os.getpid(), int(os.environ["SIGNAL"]))
sys.addaudithook(watch)
"""


@pytest.mark.parametrize(
    ("number", "module", "code"),
    [
        (signal.SIGINT, "argparse", -signal.SIGINT),  # nothing is there yet that could end in order
        (signal.SIGINT, "app.redaction", -signal.SIGINT),
        (signal.SIGINT, "detector.model_store", 130),
        (signal.SIGTERM, "detector.model_store", 130),
    ],
)
def test_a_start_is_ended_without_a_word(tmp_path, number, module, code):
    (tmp_path / "sitecustomize.py").write_text(_SITE)
    variables = {"PYTHONPATH": str(tmp_path), "AT_IMPORT_OF": module, "SIGNAL": str(int(number))}
    ended = subprocess.run(
        [sys.executable, "main.py", "models", "list"],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (code, "", "")
