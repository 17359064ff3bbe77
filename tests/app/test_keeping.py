"""Names for what is kept without being given one."""

from datetime import datetime
from pathlib import Path

import pytest

from app.keeping import new_path
from detector.errors import RecordingError

NOON = datetime(2026, 2, 14, 12, 0, 0)


@pytest.mark.parametrize(
    ("source", "stem"),
    [
        ("walk.mp4", "walk"),
        ("camera 0", "camera-0"),
        ("rtsp://***@192.168.1.20:554/stream1?pw=***", "192-168-1-20"),
        ("rtsp://cam:hunter2@porch/live", "porch"),
        ("http://[fe80::1]/x", "fe80-1"),
        ("../../etc/passwd", "passwd"),
        ("...", "source"),
    ],
)
def test_a_name_says_source_and_time_and_nothing_secret(tmp_path: Path, source: str, stem: str):
    path = new_path(source, ".mp4", folder=str(tmp_path), now=NOON)
    assert path == tmp_path / f"{stem}_20260214-120000.mp4"


def test_nothing_that_is_there_is_written_over(tmp_path: Path):
    first = new_path("walk.mp4", ".mp4", folder=str(tmp_path), now=NOON)
    first.with_suffix(".part.mkv").touch()  # being written
    second = new_path("walk.mp4", ".mp4", folder=str(tmp_path), now=NOON)
    second.touch()
    third = new_path("walk.mp4", ".mp4", folder=str(tmp_path), now=NOON)
    assert len({first, second, third}) == 3


def test_the_folder_is_made_for_its_owner_alone(studio_home: Path):
    path = new_path("walk.mp4", ".jpg")
    assert path.is_relative_to(studio_home)
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(RecordingError, match="file"):
        new_path("walk.mp4", ".mp4", folder=str(tmp_path / "file" / "folder"))
