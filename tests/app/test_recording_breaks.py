"""Pictures that cannot be written in the middle of a recording: it goes on with those that can."""

import logging
import re
from pathlib import Path

import pytest

from tests.app.feeding import Feeding
from tests.app.outputs import names, pictures

TOO_WIDE = (2, 20000)  # for H.264


def test_after_pictures_that_cannot_be_encoded_a_live_recording_goes_on_in_another_clip(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with Feeding(tmp_path / "out.mp4") as feeding:
        feeding.until(lambda state: state.frames > 30)
        feeding.turn(*TOO_WIDE)
        state = feeding.until(lambda state: state.warning)
        assert "porch: its pictures of 20000x2 cannot be encoded" in state.warning
        assert "; a new clip begins in 1 s" in state.warning
        before = feeding.until(lambda state: state.files, 0.7).frames
        feeding.turn(240, 320)
        feeding.until(lambda state: state.frames > before + 30 and not state.warning)
    assert feeding.state.failure == ""
    assert names(tmp_path) == ["out-2.mp4", "out.mp4"]
    first, second = (list(pictures(tmp_path / name)) for name in ("out.mp4", "out-2.mp4"))
    assert len(first) == before > 30 and len(first) + len(second) == feeding.state.frames
    assert feeding.offered == feeding.state.frames + feeding.measure.figures(0.0).unrecorded
    assert len(caplog.records) == 1


def test_attempts_that_fail_again_come_the_more_rarely_and_are_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with Feeding(tmp_path / "out.mp4") as feeding:
        feeding.until(lambda state: state.frames > 10)
        feeding.turn(*TOO_WIDE)
        for wait in ("1", "2", "[345]"):  # 1, 2 and 4 seconds, a fifth more or less
            feeding.until(
                lambda state, wait=wait: re.search(f"a new clip begins in {wait} s$", state.warning)
            )
        assert len(caplog.records) == 1
    assert feeding.state.failure == "" and names(tmp_path) == ["out.mp4"]


def test_a_recording_whose_first_picture_cannot_be_encoded_ends(tmp_path: Path) -> None:
    with Feeding(tmp_path / "out.mp4", size=TOO_WIDE) as feeding:
        state = feeding.until(lambda state: not state.running)
    assert "pictures of 20000x2 cannot be encoded" in state.failure
    assert names(tmp_path) == []
