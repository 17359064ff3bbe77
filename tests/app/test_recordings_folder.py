"""A folder of recordings: what is left over is finished, what is too much goes, what is starred stays."""

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import av
import pytest

from app.recording import Recorder
from app.recording.disk import (
    DiskLimits,
    duration_words,
    free_bytes,
    refuse_full_disk,
    room_words,
    seconds_left,
    size_words,
)
from app.recording.part_file import make_folder
from app.recording.quota import Quota, Tidying, is_starred, set_star
from app.recording.recovery import left_overs, recover
from detector.errors import OptionError, RecordingError
from tests.app.outputs import names
from tests.app.test_recording import ROOT, WRITER
from tests.app.videos import numbered_picture, write_video


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("one") / "clip.mp4"
    with Recorder(path, 96, 192, 25.0) as recorder:
        for number in range(10):
            recorder.write(numbered_picture(number), number / 25)
    return path


# What interrupted recordings left.


def killed(folder: Path) -> Path:
    """The part file of a recording that was killed with -9 after 67 frames."""
    command = [sys.executable, "-c", WRITER, str(folder / "out.mp4"), "30", "100000", "255"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout is not None
        next(line for line in child.stdout if int(line) == 67)
        child.send_signal(signal.SIGKILL)
    return folder / "out.part.mkv"


def test_what_kill_9_left_becomes_the_file_it_was_to_be(tmp_path: Path) -> None:
    part = killed(tmp_path)
    (tmp_path / "out.part.mp4").write_bytes(b"of a finishing that was interrupted")
    before = sum(1 for _ in av.open(str(part)).demux(video=0)) - 1
    assert left_overs(tmp_path) == [part]
    result = recover(part)
    assert result.path == tmp_path / "out.mp4" and result.frames == before >= 67 - 30
    with av.open(str(result.path)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([number / 30 for number in range(result.frames)], abs=0.001)
    assert names(tmp_path) == ["out.mp4"]
    assert left_overs(tmp_path) == []


def test_a_recovered_file_takes_another_name_rather_than_replacing_one(
    tmp_path: Path, recording: Path
) -> None:
    shutil.copy(recording, tmp_path / "out.mp4")
    (tmp_path / "sub").mkdir()
    shutil.move(killed(tmp_path / "sub"), tmp_path / "out.part.mkv")
    assert recover(tmp_path / "out.part.mkv").path == tmp_path / "out-2.mp4"
    assert (tmp_path / "out.mp4").read_bytes() == recording.read_bytes()


def test_a_left_over_is_not_finished_where_that_would_fill_the_disk(tmp_path: Path, recording: Path) -> None:
    part = killed(tmp_path)
    shutil.copy(recording, tmp_path / "out.mp4")
    (tmp_path / "out.jsonl").write_text("of the part file\n")
    before, free = names(tmp_path), free_bytes(tmp_path)
    assert free is not None
    with pytest.raises(RecordingError, match=r"no room to finish .* at the next start with more room"):
        recover(part, DiskLimits(stop=2 * free))
    assert names(tmp_path) == before


def test_a_recording_that_still_runs_is_no_left_over(tmp_path: Path) -> None:
    with Recorder(tmp_path / "out.mp4", 96, 192, 5.0) as recorder:
        recorder.write(numbered_picture(1), 0.0)
        assert left_overs(tmp_path) == []
        with pytest.raises(RecordingError, match="being written by another recording"):
            recover(tmp_path / "out.part.mkv")
    assert names(tmp_path) == ["out.mp4"]


_HOLD = """
import fcntl, sys, time
part = open(sys.argv[1], "r+b")
fcntl.lockf(part, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="locks of POSIX")
def test_a_recording_that_still_runs_is_no_left_over_on_nfs_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    monkeypatch.setattr(fcntl, "flock", fcntl.lockf)  # what NFS makes of it
    part = tmp_path / "out.part.mkv"
    part.write_bytes(b"pictures")
    holder = subprocess.Popen([sys.executable, "-c", _HOLD, part], stdout=subprocess.PIPE)
    try:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        assert left_overs(tmp_path) == []
    finally:
        holder.kill()
        holder.communicate()
    assert left_overs(tmp_path) == [part]


def test_a_part_file_in_whose_place_a_recording_begins_is_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = tmp_path / "out.part.mkv"
    part.write_bytes(b"")

    def claimed_late(fd: int) -> bool:
        part.rename(tmp_path / "gone")
        part.write_bytes(b"")
        return True

    monkeypatch.setattr("app.recording.recovery.claim", claimed_late)
    with pytest.raises(RecordingError, match="just been begun by another recording"):
        recover(part)
    assert part.exists()


def test_a_part_file_with_nothing_in_it_is_removed(tmp_path: Path) -> None:
    (tmp_path / "out.part.mkv").write_bytes(b"")
    assert recover(tmp_path / "out.part.mkv").frames == 0
    assert names(tmp_path) == []


def test_a_large_part_file_that_cannot_be_read_is_left_for_others_to_try(tmp_path: Path) -> None:
    (tmp_path / "out.part.mkv").write_bytes(os.urandom(200_000))
    with pytest.raises(RecordingError, match="left as it is"):
        recover(tmp_path / "out.part.mkv")
    assert names(tmp_path) == ["out.part.mkv"]


def test_a_part_file_that_vanishes_or_cannot_be_opened_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "other", "third"):
        (tmp_path / f"{name}.part.mkv").write_bytes(b"left")
    opened = Path.open

    def open_or_not(path: Path, *arguments: str) -> IO[Any]:
        if path.name == "one.part.mkv":
            path.unlink()
        if path.name == "other.part.mkv":
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *arguments)

    monkeypatch.setattr(Path, "open", open_or_not)
    assert left_overs(tmp_path) == [tmp_path / "third.part.mkv"]


def test_a_folder_that_is_not_there_has_no_left_overs(tmp_path: Path) -> None:
    assert left_overs(tmp_path / "missing") == []


def test_folders_that_are_made_for_recordings_are_for_their_owner_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_folder(tmp_path / "home" / "recordings" / "porch")
    made = [tmp_path / "home", tmp_path / "home" / "recordings", tmp_path / "home" / "recordings" / "porch"]
    assert [stat.S_IMODE(each.stat().st_mode) for each in made] == [0o700] * 3
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755, "what was there stays as it was"
    make_folder(made[-1])


def test_a_file_where_a_folder_for_recordings_is_to_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    for folder in (tmp_path / "home", tmp_path / "home" / "recordings"):
        with pytest.raises(RecordingError, match=r"recordings cannot be made|home cannot be made"):
            make_folder(folder)


# The quota.


@pytest.fixture
def week(tmp_path: Path, recording: Path) -> Path:
    """Seven recordings, one a day, each with its boxes; and a video that is none of ours."""
    for day in range(7):
        begun = datetime.now(UTC) - timedelta(days=day, hours=1)
        path = tmp_path / f"porch_{day}.mp4"
        with av.open(str(recording)) as source, av.open(str(path), "w", format="mp4") as sink:
            sink.metadata.update(source.metadata | {"creation_time": begun.isoformat()})
            stream = sink.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.size:
                    packet.stream = stream
                    sink.mux(packet)
        path.with_suffix(".jsonl").write_text("{}\n")
    write_video(tmp_path / "holiday_20200101-120000.mp4", 10)
    return tmp_path


def clips(folder: Path) -> list[str]:
    return [name for name in names(folder) if name.startswith("porch") and name.endswith(".mp4")]


def test_the_oldest_recordings_go_first_and_their_boxes_with_them(week: Path) -> None:
    three = sum((week / f"porch_{day}.mp4").stat().st_size + 3 for day in range(3))
    gone = Tidying(week, Quota(size=three + 100)).tidy()
    assert [path.name for path in gone] == [f"porch_{day}.mp4" for day in (6, 5, 4, 3)]
    assert clips(week) == ["porch_0.mp4", "porch_1.mp4", "porch_2.mp4"]
    assert not (week / "porch_6.jsonl").exists()
    assert (week / "holiday_20200101-120000.mp4").exists(), "only what was recorded here is deleted"


def test_recordings_that_are_too_old_go(week: Path) -> None:
    Tidying(week, Quota(age=3.5 * 86400)).tidy()
    assert clips(week) == ["porch_0.mp4", "porch_1.mp4", "porch_2.mp4", "porch_3.mp4"]


def test_a_starred_recording_is_never_deleted(week: Path) -> None:
    set_star(week / "porch_6.mp4", True)
    set_star(week / "porch_5.mp4", True)
    set_star(week / "porch_5.mp4", False)
    Tidying(week, Quota(age=60.0)).tidy(spared=[week / "porch_0.mp4"])
    assert clips(week) == ["porch_0.mp4", "porch_6.mp4"]
    assert is_starred(week / "porch_6.mp4") and (week / "porch_6.jsonl").exists()


def test_within_the_quota_nothing_is_deleted(week: Path) -> None:
    before = names(week)
    assert Tidying(week, Quota(size=10**9, age=30 * 86400)).tidy() == []
    assert names(week) == before


@pytest.fixture
def sixty(tmp_path: Path, recording: Path) -> Path:
    """Recordings of one size without boxes."""
    for number in range(60):
        shutil.copy(recording, tmp_path / f"porch_{number:02}.mp4")
    return tmp_path


def test_sources_that_record_to_one_folder_keep_its_quota_and_delete_no_more(sixty: Path) -> None:
    """Once a clip that another had deleted was no relief, and the next one went too: 0 to 37 were left."""
    quota = Quota(size=40 * (sixty / "porch_00.mp4").stat().st_size)
    tidyings = [Tidying(sixty, quota) for _ in range(4)]
    for tidying in tidyings:
        tidying.tidy(spared=list(sixty.iterdir()))  # the second look is quick: they delete at one time
    ready = threading.Barrier(4)

    def tidy(tidying: Tidying) -> list[Path]:
        ready.wait()
        return tidying.tidy()

    with ThreadPoolExecutor(4) as threads:
        gone = [path for each in threads.map(tidy, tidyings) for path in each]
    assert len(clips(sixty)) == 40
    assert len(gone) == len(set(gone)) == 20


def test_a_recording_that_another_program_has_just_deleted_counts_as_gone(
    sixty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quota = Quota(size=40 * (sixty / "porch_00.mp4").stat().st_size)

    def starred(clip: Path) -> bool:
        clip.unlink()
        return False

    monkeypatch.setattr("app.recording.quota.is_starred", starred)
    Tidying(sixty, quota).tidy()
    assert len(clips(sixty)) == 40


def test_what_other_sources_are_writing_counts_towards_the_quota(sixty: Path) -> None:
    size = (sixty / "porch_00.mp4").stat().st_size
    (sixty / "garden.part.mkv").write_bytes(bytes(9 * size))
    (sixty / "garden.jsonl").write_bytes(bytes(size))
    (sixty / "garden.part.mp4").write_bytes((sixty / "porch_00.mp4").read_bytes())
    Tidying(sixty, Quota(size=40 * size)).tidy()
    assert len(clips(sixty)) == 30
    assert {"garden.jsonl", "garden.part.mkv", "garden.part.mp4"} <= set(names(sixty))


@pytest.mark.parametrize("values", [{"size": 0}, {"age": -1.0}])
def test_a_quota_that_cannot_be_meant_is_a_sentence(values: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        Quota(**values)


# Room on the disk.


def test_a_recording_is_refused_where_there_is_no_room(tmp_path: Path) -> None:
    free = free_bytes(tmp_path / "not" / "there")
    assert free is not None
    refuse_full_disk(tmp_path, DiskLimits(refuse=1))
    with pytest.raises(RecordingError, match=r"Only .* are free on the disk of .*; make room"):
        refuse_full_disk(tmp_path, DiskLimits(refuse=free * 2))


def test_little_room_is_said_with_how_long_it_lasts() -> None:
    limits = DiskLimits()
    assert room_words(6 * 10**9, limits, 500_000) == ""
    assert room_words(2_050_000_000, limits, 500_000) == (
        "Only 2.05 GB are free on the disk of the recordings, enough for 60 minutes at this rate"
    )
    assert seconds_left(10**9, limits, 1_000_000) == 750
    assert seconds_left(10**9, limits, None) is None


@pytest.mark.parametrize(
    ("count", "words"), [(999, "1 kB"), (420_000_000, "420 MB"), (5e9, "5 GB"), (2.5e12, "2.5 TB")]
)
def test_sizes_are_said_as_people_do(count: float, words: str) -> None:
    assert size_words(int(count)) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(50, "50 seconds"), (600, "10 minutes"), (9000, "2 hours"), (300000, "3 days")]
)
def test_lengths_of_time_are_said_as_people_do(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words
