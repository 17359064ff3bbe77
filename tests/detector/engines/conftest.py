"""One small model with random weights, converted for OpenVINO once for all tests of this room."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from detector.model_store import Model, find_model
from detector.values import Frame
from tests.detector.random_networks import save_small

ROOT = Path(__file__).resolve().parents[3]

# What a process says after it has opened the engine and looked at a frame.
OPEN_AND_SAY = """
import json, sys
import numpy as np
from detector.engines import open_engine
from detector.model_store import find_model
from detector.values import Frame

words = []
engine = open_engine(find_model("small"), engine=sys.argv[1], precision=sys.argv[2], notify=words.append)
engine.detect([Frame(np.zeros((90, 120, 3), np.uint8))])
loaded = [name for name in ("tensorflow", "keras", "jax", "openvino") if name in sys.modules]
reporting = [name for name in sys.modules if name.startswith("openvino_telemetry.")]
print(json.dumps({"device": engine.device, "words": words, "loaded": loaded, "reporting": reporting}))
"""


def run_python(
    code: str, *arguments: str, home: Path, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """A Python process of its own, with `home` for its models and cache."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=os.environ | {"SSD_STUDIO_HOME": str(home), "TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
        capture_output=True,
        text=True,
        timeout=110,
    )


def picture(seed: int, height: int, width: int) -> Frame:
    """Coloured shapes on coloured noise: something that a random network answers differently everywhere."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 255, (6, 8, 3), np.uint8)
    pixels = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(8):
        x, y, radius = (int(value) for value in rng.integers(0, (width, height, height // 3)))
        cv2.circle(pixels, (x, y), radius, rng.integers(0, 255, 3).tolist(), -1)
    return Frame(pixels)


@pytest.fixture(scope="session")
def engine_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home with the model `small`: MobileNet at half its width, pictures of 96x160, 3 classes."""
    home = tmp_path_factory.mktemp("engines")
    save_small(home / "models", width=0.5, picture=picture(0, 96, 160).pixels, above=100)
    return home


@pytest.fixture(scope="session")
def first_opening(engine_home: Path) -> dict[str, Any]:
    """What a process said that opened the OpenVINO engine before there was a converted model."""
    opened = run_python(OPEN_AND_SAY, "openvino", "float32", home=engine_home)
    assert opened.returncode == 0, opened.stderr
    return json.loads(opened.stdout)


@pytest.fixture
def small(engine_home: Path, first_opening: object, monkeypatch: pytest.MonkeyPatch) -> Model:
    """The model `small`, converted already."""
    monkeypatch.setenv("SSD_STUDIO_HOME", str(engine_home))
    return find_model("small")
