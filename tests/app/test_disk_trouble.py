"""Disks that fill up, stop answering or lose power while a recording is written to them."""

import contextlib
import errno
import shutil
from pathlib import Path

import pytest

from app.recording.disk import DiskLimits
from app.recording.plan import RecordingPlan
from app.recording.quota import Quota, Tidying
from app.recording.recovery import left_overs, recover
from app.recording.reel import Cutting
from detector.errors import RecordingError
from tests.app.feeding import Feeding, disk_image, frozen, tmpfs
from tests.app.outputs import count_and_seconds, names, pictures
from tests.app.videos import eventually

SMALL = DiskLimits(refuse=4_000_000, warn=9_000_000, stop=2_500_000)


def test_a_disk_that_fills_up_ends_the_recording_in_order_and_what_is_there_plays(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "10m") as disk:
        with Feeding(disk / "out.mp4", RecordingPlan(limits=SMALL)) as feeding:
            state = feeding.until(lambda state: "Only" in state.warning and "at this rate" in state.warning)
            assert state.running and state.time_left is not None and 0 < state.time_left < 60
            state = feeding.until(lambda state: not state.running)
            offered = feeding.offered
        assert "Recording has ended: only" in state.failure and "are free on the disk" in state.failure
        assert names(disk) == ["out.part.mkv"], "there is no room for a second copy, so the part file stays"
        assert sum(1 for _ in pictures(disk / "out.part.mkv")) >= offered - 50
        (part,) = left_overs(disk)
        with pytest.raises(RecordingError, match=r"There is no room to finish .*out\.part\.mkv, which plays"):
            recover(part, SMALL)
        assert names(disk) == ["out.part.mkv"]
        shutil.move(part, tmp_path / "out.part.mkv")  # somebody has made room
    assert recover(tmp_path / "out.part.mkv").frames >= offered - 50


def test_a_disk_that_is_full_at_once_loses_at_most_a_second(tmp_path: Path) -> None:
    """Another program has taken all that was left before anybody could look."""
    limits = DiskLimits(refuse=1, warn=1, stop=0)
    with tmpfs(tmp_path / "disk", "10m") as disk:
        with Feeding(disk / "out.mp4", RecordingPlan(limits=limits)) as feeding:
            feeding.until(lambda state: state.frames > 30)
            with contextlib.suppress(OSError), (disk / "other").open("wb", buffering=0) as other:
                while True:
                    other.write(bytes(100_000))
            state = feeding.until(lambda state: not state.running)
            offered = feeding.offered
        assert "out.part.mkv failed (no space left on device)" in state.failure
        assert sum(1 for _ in pictures(disk / "out.part.mkv")) >= offered - 25


def test_on_a_full_disk_nothing_is_begun(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "3m") as disk:
        with pytest.raises(RecordingError, match=r"Only 3.\d* MB are free .* begins with 4 MB; make room"):
            Feeding(disk / "out.mp4", RecordingPlan(limits=SMALL))
        assert names(disk) == []


def test_a_power_cut_costs_five_seconds_at_most(tmp_path: Path) -> None:
    """The image of a disk is what is on it; what the system still holds in memory is not in it."""
    plan = RecordingPlan(limits=DiskLimits(refuse=1, warn=1, stop=0))
    with (
        disk_image(tmp_path / "image", tmp_path / "disk") as disk,
        Feeding(disk / "out.mp4", plan) as feeding,
    ):
        feeding.until(lambda state: state.frames > 7 * 25)
        written = feeding.state.frames
        shutil.copy(tmp_path / "image", tmp_path / "cut")
    with disk_image(tmp_path / "cut", tmp_path / "after") as after:
        assert sum(1 for _ in pictures(after / "out.part.mkv")) >= written - 5 * 25


def test_a_disk_that_does_not_answer_is_said_within_seconds_and_holds_up_nobody(tmp_path: Path) -> None:
    plan = RecordingPlan(limits=DiskLimits(refuse=1, warn=1, stop=0))
    with disk_image(tmp_path / "image", tmp_path / "disk") as disk:
        with Feeding(disk / "out.mp4", plan) as feeding:
            feeding.until(lambda state: state.frames > 10)
            with frozen(disk):
                before = feeding.offered
                state = feeding.until(lambda state: "Nothing of out.part" in state.warning or state.warning)
                assert "Nothing of out.mp4 has reached the disk for" in state.warning
                assert feeding.offered - before < 6 * 25
                before = feeding.offered
                assert eventually(lambda: feeding.offered > before + 25), "whoever offers frames never waits"
            after = feeding.until(lambda state: not state.warning).frames
            feeding.until(lambda state: state.frames > after + 60)
        assert feeding.state.failure == ""
        frames, seconds = count_and_seconds(disk / "out.mp4")
        assert frames == feeding.state.frames and seconds == pytest.approx(feeding.offered / 25, rel=0.05)


def test_a_quota_that_cannot_be_kept_is_said_and_the_clips_are_finished_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(tidying: Tidying, **_: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(Tidying, "tidy", fail)
    plan = RecordingPlan(
        limits=DiskLimits(refuse=1, warn=1, stop=0),
        quota=Quota(size=10**9),
        cutting=Cutting(segment_seconds=1),
    )
    with Feeding(tmp_path / "out.mp4", plan) as feeding:
        state = feeding.until(lambda state: len(state.files) >= 2)
        assert state.running and not state.failure
        assert state.warning == f"The quota of {tmp_path} could not be kept (no such file or directory)"
    assert not [name for name in names(tmp_path) if "part" in name]
