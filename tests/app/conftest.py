"""A real model ready to run, and `detect` in this process."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import main
from detector.importers import import_file
from detector.model_store import save_model

ROOT = Path(__file__).resolve().parents[2]


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
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=110)
    return home


@pytest.fixture
def walk(shared: Path) -> Path:
    return shared / "video" / "one-by-one-person-detection.mp4"


@pytest.fixture
def detect(coco_home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    """Runs the command in this process: (exit code, standard output, standard error)."""
    monkeypatch.setenv("SSD_STUDIO_HOME", str(coco_home))

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main.main(["detect", *map(str, arguments), "--model", "coco", "--engine", "openvino"])
        said = capfd.readouterr()
        return code, said.out, said.err

    return run
