"""After models have come and gone Ctrl-C still reaches the program: OpenVINO meddles with signals' stack."""

import os
import subprocess
import sys

from tests.detector.engines.conftest import ROOT
from tests.detector.engines.tiny import tiny_model

_CHANGES_MODELS = """
import signal
from detector.engines import open_engine
from detector.model_store import find_model

def opened():
    return open_engine(find_model("small"), engine="openvino", precision="float32")

first, second = opened(), opened()  # as where a model takes the place of another
del first
del second
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interrupt_after_one_model_took_the_place_of_another(studio_home):
    tiny_model()
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", _CHANGES_MODELS],
        cwd=ROOT,
        env=os.environ | {"SSD_STUDIO_HOME": str(studio_home)},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
