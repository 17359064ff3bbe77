"""`detect` in this process, and what it or a pipeline looks at."""

from pathlib import Path
from typing import Any

import pytest

import main
from tests.app.videos import write_video


@pytest.fixture
def walk(shared: Path) -> Path:
    return shared / "video" / "one-by-one-person-detection.mp4"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two seconds, 25 frames each, numbered."""
    write_video(tmp_path / "clip.mp4", 50)
    return tmp_path / "clip.mp4"


@pytest.fixture
def detect(coco_home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    """Runs the command in this process: (exit code, standard output, standard error)."""
    monkeypatch.setenv("SSD_STUDIO_HOME", str(coco_home))

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main.main(["detect", *map(str, arguments), "--model", "coco", "--engine", "openvino"])
        said = capfd.readouterr()
        return code, said.out, said.err

    return run
