"""What is remembered survives everything but a lost file, and holds no password."""

import json
import logging
import os
import stat
from pathlib import Path

import pytest

from app.events import Regions, Zone
from app.settings import Settings


def _file(studio_home: Path) -> Path:
    return studio_home / "config" / "settings.json"


def test_what_was_saved_is_loaded_again(studio_home: Path):
    settings = Settings(
        recent_sources=("0", "walk.mp4"),
        model="coco",
        min_score=0.25,
        nms_iou=0.6,
        geometry="AdnQ",
        theme="dark",
        recording_folder="/tmp/ü",
    )
    settings.save()
    assert Settings.load() == settings


def test_a_first_start_has_defaults_and_no_warning(studio_home: Path, caplog: pytest.LogCaptureFixture):
    assert Settings.load() == Settings()
    assert not caplog.records


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff\xfe\x00", b'{"a": 1'])
def test_an_unreadable_file_gives_defaults_and_a_warning(
    studio_home: Path, caplog: pytest.LogCaptureFixture, content: bytes
):
    _file(studio_home).parent.mkdir(parents=True)
    _file(studio_home).write_bytes(content)
    assert Settings.load() == Settings()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "settings.json" in caplog.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_score", 1.5),
        ("min_score", "high"),
        ("nms_iou", True),
        ("theme", "pink"),
        ("recent_sources", [1]),
        ("geometry", 7),
    ],
)
def test_a_value_that_means_nothing_is_left_out_alone(
    studio_home: Path, caplog: pytest.LogCaptureFixture, name: str, value: object
):
    _file(studio_home).parent.mkdir(parents=True)
    _file(studio_home).write_text(json.dumps({"model": "coco", name: value, "of the future": 1}))
    assert Settings.load() == Settings(model="coco")
    assert name in caplog.text


def test_a_save_that_fails_leaves_the_file_as_it_was(
    studio_home: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    Settings(model="first").save()

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    Settings(model="second").save()
    assert Settings.load().model == "first"
    assert "No space left" in caplog.text
    assert [path.name for path in _file(studio_home).parent.iterdir()] == ["settings.json"]


def test_the_file_is_readable_by_its_owner_alone(studio_home: Path):
    Settings().save()
    assert stat.S_IMODE(_file(studio_home).stat().st_mode) == 0o600


def test_recent_sources_are_the_newest_first_without_doubles(tmp_path: Path):
    settings = Settings()
    for number in range(20):
        settings = settings.with_source(f"rtsp://10.0.0.{number}/live")
    settings = settings.with_source("rtsp://10.0.0.15/live")
    assert settings.recent_sources[:3] == tuple(f"rtsp://10.0.0.{n}/live" for n in (15, 19, 18))
    assert len(settings.recent_sources) == 12
    assert settings.without_source("rtsp://10.0.0.19/live").recent_sources[1] == "rtsp://10.0.0.18/live"


def test_no_password_is_ever_written(studio_home: Path):
    Settings().with_source("rtsp://cam:hunter2@10.0.0.5/live?token=hunter2").save()
    assert "hunter2" not in _file(studio_home).read_text()
    assert Settings.load().recent_sources[0] == "rtsp://10.0.0.5/live?token=***"


def test_a_file_is_remembered_by_its_full_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "walk.mp4").touch()
    monkeypatch.chdir(tmp_path)
    assert Settings().with_source("walk.mp4").recent_sources[0] == str(tmp_path / "walk.mp4")
    assert Settings().with_source("~nobody/walk.mp4").recent_sources[0] == "~nobody/walk.mp4"


def test_zones_are_kept_for_their_source_without_its_password(studio_home: Path):
    zone = Zone("door", ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0)))
    Settings().with_regions("rtsp://cam:hunter2@porch/live", Regions((zone,))).save()
    loaded = Settings.load()
    assert loaded.regions_of("rtsp://other:pass@porch/live") == Regions((zone,))
    assert not loaded.regions_of("rtsp://garden/live")
    assert "hunter2" not in (studio_home / "config" / "settings.json").read_text()
    assert not loaded.with_regions("rtsp://porch/live", Regions()).regions


def test_zones_that_mean_nothing_are_left_out_with_a_warning(caplog: pytest.LogCaptureFixture):
    assert not Settings(regions={"0": {"zones": [{"name": "door"}]}}).regions_of("0")
    assert "The zones of 0 cannot be read" in caplog.text
