"""Every command of the README does what the README says, in the folder of a person who has nothing else."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.rtsp import server_process

_ROOT = Path(__file__).resolve().parents[1]
_README = (_ROOT / "README.md").read_text(encoding="utf-8")
_COMMANDS = [
    line.partition("#")[0].strip() for line in re.findall(r"^ {4}(python main\.py.*)$", _README, re.MULTILINE)
]
_WINDOW = [line for line in _COMMANDS if not re.match(r"python main\.py [a-z]+ ", line)]
_ON_VIDEOS = [line for line in _COMMANDS if line.startswith("python main.py detect")]


@pytest.fixture
def folder(shared: Path, coco_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the README's examples name: a video, pictures, labelled pictures, a TFLite file, a model."""
    data = shared / "data" / "voc2007"
    shutil.copy(shared / "video" / "traffic.mp4", tmp_path / "walk.mp4")
    shutil.copy(shared / "models" / "coco_ssd_mobilenet_v1_quant.tflite", tmp_path / "detect.tflite")
    few = (data / "ImageSets" / "Main" / "test.txt").read_text(encoding="utf-8").split()[:4]
    (tmp_path / "pictures").mkdir()
    (tmp_path / "VOC2007" / "ImageSets" / "Main").mkdir(parents=True)
    (tmp_path / "VOC2007" / "ImageSets" / "Main" / "test.txt").write_text("\n".join(few), encoding="utf-8")
    for kind, suffix in (("JPEGImages", ".jpg"), ("Annotations", ".xml")):
        (tmp_path / "VOC2007" / kind).mkdir()
        for name in few:
            shutil.copy(data / kind / f"{name}{suffix}", tmp_path / "VOC2007" / kind)
    for name in few:
        shutil.copy(data / "JPEGImages" / f"{name}.jpg", tmp_path / "pictures")
    (tmp_path / "photos").symlink_to("VOC2007")
    monkeypatch.setenv("SSD_STUDIO_HOME", str(coco_home))
    return tmp_path


def _shell(line: str, folder: Path, timeout: float = 110) -> subprocess.CompletedProcess[str]:
    line = line.replace("python main.py", f"{sys.executable} {_ROOT / 'main.py'}")
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def test_the_readme_opens_with_the_two_commands_set_up_included():
    first = [line.strip() for line in _README.splitlines() if line.startswith("    ")][:2]
    assert first[0] == "pip install -r requirements.txt && python main.py"
    assert first[1] == ("pip install -r requirements.txt -r tests/requirements.txt && python -m pytest")


def test_a_file_of_somebody_else_is_imported_as_told(folder, studio_home, monkeypatch):
    monkeypatch.setenv("SSD_STUDIO_HOME", str(studio_home))  # where no model but the one that ships is yet
    (told,) = [line for line in _COMMANDS if "models import" in line]
    said = _shell(told, folder)
    assert said.returncode == 0, said.stderr
    assert "coco" in _shell("python main.py models list", folder).stdout


def test_the_demo_is_written_where_nothing_else_is(tmp_path):
    said = _shell("python main.py demo demo.mp4", tmp_path)
    assert said.returncode == 0, said.stderr
    assert "600 frames" in said.stdout and "person" in said.stdout
    assert (tmp_path / "demo.mp4").stat().st_size > 100_000


def test_photographs_are_checked_as_told(folder):
    said = _shell("python main.py dataset check photos", folder)
    assert said.returncode == 0, said.stderr
    assert "0 errors, 0 warnings" in said.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_training_runs_as_told(folder):
    (told,) = [line for line in _COMMANDS if line.startswith("python main.py train")]
    said = _shell(told.replace("--minutes 30", "--epochs 2"), folder, timeout=500)
    assert said.returncode == 0, said.stderr
    assert "helmets" in _shell("python main.py models list", folder).stdout


@pytest.mark.parametrize("line", _ON_VIDEOS)
def test_detect_runs_as_told(line, folder, shared):
    with server_process(shared, folder / "walk.mp4") as (url, _):
        line = line.replace("rtsp://camera/stream", url).replace("--max-frames 1000", "--max-frames 20")
        said = _shell(line, folder)
    assert said.returncode == 0, said.stderr
    for written in re.findall(r"--(?:record|json) ([\w.-]+\.\w+)", line):
        assert (folder / written).stat().st_size > 0


def test_cameras_are_recorded_and_annotated_as_told(folder, shared):
    record, annotate = (
        line for line in _COMMANDS if line.startswith(("python main.py record", "python main.py annotate"))
    )
    with server_process(shared, folder / "walk.mp4") as (url, _):
        said = _shell(record.replace("rtsp://camera/stream", url) + " --folder clips --for 8s", folder)
    assert said.returncode == 0, said.stderr
    clip = min((folder / "clips").glob("*.mp4"))
    shutil.copy(clip, folder / "porch.mp4")
    shutil.copy(clip.with_suffix(".jsonl"), folder / "porch.jsonl")
    said = _shell(annotate, folder)
    assert said.returncode == 0, said.stderr
    assert (folder / "porch-boxes.mp4").stat().st_size > 0


def test_a_file_is_looked_into_as_told(folder):
    (told,) = [line for line in _COMMANDS if "models inspect" in line]
    said = _shell(told, folder)
    assert said.returncode == 0, said.stderr
    assert "MobileNet" in said.stdout or "mobilenet" in said.stdout


def test_evaluate_runs_as_told(folder):
    (told,) = [line for line in _COMMANDS if "evaluate" in line]
    said = _shell(told, folder)
    assert said.returncode == 0, said.stderr
    assert (folder / "figures.json").stat().st_size > 0


@pytest.mark.parametrize("line", _WINDOW)
def test_the_window_opens_as_told_and_closes_when_asked(line, folder):
    command = [sys.executable, str(_ROOT / "main.py"), *line.split()[2:]]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "SSD_STUDIO_LOG": "INFO"}
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as window:
        assert window.stderr
        try:
            assert any("Window shown" in said for said in window.stderr)
            window.send_signal(signal.SIGTERM)
            window.stderr.read()
            assert window.wait(30) == 0
        finally:
            window.kill()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("line", [line for line in _COMMANDS if line.startswith("python main.py benchmark")])
def test_the_benchmark_runs_as_told(line, folder):
    said = _shell(re.sub(r"--rounds \d+", "", line) + " --rounds 1", folder, timeout=500)
    assert said.returncode == 0, said.stderr
    assert "OpenVINO CPU float32" in said.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("line", [line for line in _COMMANDS if line.startswith("python main.py explain")])
def test_explain_runs_as_told(line, folder):
    said = _shell(line, folder, timeout=500)
    assert said.returncode == 0, said.stderr
    assert (folder / line.split()[-1]).stat().st_size > 0
