"""What is done beside the writing of a recording."""

from pathlib import Path

import pytest

from app.pipeline.recorder import upkeep
from app.pipeline.recorder.upkeep import Upkeep
from app.recording import Recorder
from app.recording.plan import RecordingPlan
from app.recording.quota import Quota
from tests.app.videos import eventually, numbered_picture


def test_what_gets_too_old_goes_though_nothing_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_TIDY_EVERY", 0.1)
    keeping = Upkeep(
        tmp_path,
        RecordingPlan(quota=Quota(age=2.0)),
        clip=lambda: None,
        rate=lambda: 25.0,
        stop=lambda sentence: None,
        changed=lambda: None,
    )
    with Recorder(tmp_path / "clip.mp4", 96, 192, 25.0) as recorder:
        recorder.write(numbered_picture(0), 0.0)
    assert (tmp_path / "clip.mp4").exists()
    assert eventually(lambda: not (tmp_path / "clip.mp4").exists(), 20)
    keeping.end()
    keeping.wait()
