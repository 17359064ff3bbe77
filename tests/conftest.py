"""What every room's tests share: the given material beside the checkout, and a home of their own."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from detector.importers import import_file
from detector.model_store import save_model

ROOT = Path(__file__).resolve().parents[1]
_SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real videos, models and pictures that lies beside the checkout."""
    if not (_SHARED / "video").is_dir():
        pytest.skip("needs ../shared: real videos, models and pictures that are not part of the project")
    return _SHARED


@pytest.fixture(autouse=True)
def studio_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, models and caches of a test lie in its own folder, never in the person's."""
    home = tmp_path / "studio-home"
    monkeypatch.setenv("SSD_STUDIO_HOME", str(home))
    return home


@pytest.fixture
def nothing_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the program came without a model."""
    monkeypatch.setattr("detector.model_store.builtin_model_folder", lambda: tmp_path / "nothing-ships")


@pytest.fixture(scope="session")
def coco_home(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the COCO model, converted for OpenVINO once for all tests."""
    home = tmp_path_factory.mktemp("coco-home")
    imported = import_file(shared / "models" / "coco_ssd_mobilenet_v1_quant.tflite", name="coco")
    save_model(imported.card, imported.weights, folder=home / "models")
    blank = home / "blank.png"
    cv2.imwrite(str(blank), np.zeros((64, 64, 3), np.uint8))
    environment = os.environ | {"SSD_STUDIO_HOME": str(home)}
    command = [sys.executable, "main.py", "detect", str(blank), "--model", "coco", "--engine", "openvino"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=250)
    return home


@pytest.fixture(scope="session")
def rtsp(shared: Path) -> ModuleType:
    """The module of the RTSP server, which can be made to fail in many ways."""
    from tests.app.rtsp import load_server

    return load_server(shared)
