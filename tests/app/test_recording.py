"""Recordings: what is asked for is what is on the disk, whatever happens on the way there."""

import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from app.recording import Recorder, RecordingResult, check_target
from app.recording.clip import CodingError
from app.recording.finishing import finish
from app.recording.part_file import create_private
from app.recording.recovery import left_overs, recover
from detector.errors import RecordingError
from detector.values import Pixels
from tests.app.outputs import names
from tests.app.videos import numbered_picture, read_number

ROOT = Path(__file__).resolve().parents[2]


def decoded(path: Path) -> Iterator[tuple[float, Pixels]]:
    with av.open(path) as container:
        for frame in container.decode(video=0):
            yield frame.time, frame.to_ndarray(format="bgr24")


def record(path: Path, frames: int, rate: float = 25.0, **options: bool) -> None:
    with Recorder(path, 96, 192, rate, **options) as recorder:
        for number in range(frames):
            recorder.write(numbered_picture(number), number / rate)


def test_every_frame_comes_back_once_in_order_at_its_time(tmp_path: Path) -> None:
    record(tmp_path / "out.mp4", 90, 24000 / 1001)
    times, pictures = zip(*decoded(tmp_path / "out.mp4"))
    assert [read_number(picture) for picture in pictures] == list(range(90))
    assert times == pytest.approx([number * 1001 / 24000 for number in range(90)], abs=1e-5)


def test_only_the_finished_file_remains_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    record(tmp_path / "out.mp4", 10)
    assert names(tmp_path) == ["out.mp4"]
    assert stat.S_IMODE((tmp_path / "out.mp4").stat().st_mode) == 0o600


def test_the_result_says_what_the_file_holds(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", 96, 192, 10.0)
    for number in range(25):
        recorder.write(numbered_picture(number), 3.0 + number / 10)
    result = recorder.close()
    assert (result.path, result.frames, result.seconds) == (tmp_path / "out.mp4", 25, pytest.approx(2.5))
    assert recorder.close() == result
    with av.open(result.path) as container:
        stream = container.streams.video[0]
        assert stream.frames == 25
        assert float(stream.duration * stream.time_base) == pytest.approx(2.5)
        assert float(stream.average_rate) == pytest.approx(10.0)


def test_it_is_what_a_browser_plays(tmp_path: Path) -> None:
    record(tmp_path / "out.mp4", 30)
    with av.open(tmp_path / "out.mp4") as container:
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.pix_fmt) == ("h264", "yuv420p")
    content = (tmp_path / "out.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat"), "the index must come first for a fast start"
    assert b"moof" not in content


def test_a_key_frame_comes_every_second(tmp_path: Path) -> None:
    record(tmp_path / "out.mp4", 100, rate=20.0)
    with av.open(tmp_path / "out.mp4") as container:
        keys = [
            float(packet.pts * packet.time_base) for packet in container.demux(video=0) if packet.is_keyframe
        ]
    assert np.diff([*keys, 5.0]).max() <= 1.0


def test_uneven_times_are_kept_and_those_that_do_not_rise_are_nudged(tmp_path: Path) -> None:
    given = [7.0, 7.02, 7.5, 7.5, 7.3, 9.0, 9.001, 10.25]
    with Recorder(tmp_path / "out.mp4", 96, 192) as recorder:
        for number, pts in enumerate(given):
            recorder.write(numbered_picture(number), pts)
    times, pictures = zip(*decoded(tmp_path / "out.mp4"))
    assert times == pytest.approx([0, 0.02, 0.5, 0.501, 0.502, 2.0, 2.001, 3.25], abs=1e-5)
    assert [read_number(picture) for picture in pictures] == list(range(8))


@pytest.mark.parametrize(("height", "width"), [(241, 321), (240, 321), (241, 320), (1, 1)])
def test_an_odd_side_grows_by_a_copy_of_its_last_row_or_column(
    tmp_path: Path, height: int, width: int
) -> None:
    ramp = np.linspace(40, 200, width).astype(np.uint8)
    picture = np.repeat(np.repeat(ramp[None, :, None], height, 0), 3, 2)
    with Recorder(tmp_path / "out.mp4", height, width, 5.0) as recorder:
        for number in range(5):
            recorder.write(picture, number / 5)
    for _, shown in decoded(tmp_path / "out.mp4"):
        assert shown.shape == (height + height % 2, width + width % 2, 3)
        assert np.abs(shown[:height, :width].astype(int) - picture).max() < 12
        assert np.abs(shown[-1, -1].astype(int) - picture[-1, -1]).max() < 12


def test_a_frame_of_another_size_is_fitted_with_black_beside_it(tmp_path: Path) -> None:
    with Recorder(tmp_path / "out.mp4", 96, 192, 5.0) as recorder:
        recorder.write(numbered_picture(1), 0.0)
        recorder.write(np.full((240, 240, 3), 200, np.uint8), 0.2)
    (_, _), (_, second) = decoded(tmp_path / "out.mp4")
    assert second[48, 96, 1] > 180
    assert second[48, 8, 1] < 30
    assert second[48, 184, 1] < 30


@pytest.mark.parametrize(("height", "width", "tag"), [(240, 320, 5), (720, 1280, 1)])
def test_colours_come_back_as_they_were(tmp_path: Path, height: int, width: int, tag: int) -> None:
    patches = [(40, 90, 220), (200, 120, 10), (30, 200, 60), (128, 128, 128), (235, 235, 235)]
    picture = np.zeros((height, width, 3), np.uint8)
    stripe = width // len(patches)
    for index, patch in enumerate(patches):
        picture[:, index * stripe : (index + 1) * stripe] = patch
    with Recorder(tmp_path / "out.mp4", height, width, 5.0) as recorder:
        recorder.write(picture, 0.0)
    _, ours = next(decoded(tmp_path / "out.mp4"))
    _, opencv = cv2.VideoCapture(str(tmp_path / "out.mp4")).read()
    for shown in (ours, opencv):
        for index, patch in enumerate(patches):
            # 8-bit limited range and 4:2:0 cost a few levels
            assert shown[height // 2, index * stripe + stripe // 2] == pytest.approx(patch, abs=6)
    with av.open(tmp_path / "out.mp4") as container:
        assert container.streams.video[0].codec_context.colorspace == tag


def test_pictures_an_hour_apart_are_recorded_too(tmp_path: Path) -> None:
    with Recorder(tmp_path / "out.mp4", 96, 192, 1 / 3600) as recorder:
        for number in range(3):
            recorder.write(numbered_picture(number), number * 3600.0)
    assert [time for time, _ in decoded(tmp_path / "out.mp4")] == [0, 3600, 7200]
    assert recorder.close().seconds == pytest.approx(3 * 3600)


def test_a_size_that_cannot_be_encoded_is_a_sentence(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", 2, 20000, 5.0)
    with pytest.raises(RecordingError, match=r"out\.part\.mkv failed"):
        recorder.write(np.zeros((2, 20000, 3), np.uint8), 0.0)
    with pytest.raises(RecordingError, match=r"out\.part\.mkv failed .* before the first frame"):
        recorder.close()
    assert names(tmp_path) == []


def test_a_picture_that_the_encoder_refuses_is_no_trouble_of_the_disk(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", 96, 192, 25.0, codec="mpeg4")
    for number in range(10):
        recorder.write(numbered_picture(number), number / 25)
    with pytest.raises(
        CodingError, match=r"\(operation not permitted\) after 10 frames; what is there plays\.$"
    ):
        recorder.write(numbered_picture(10), 100 * 365 * 86400.0)  # MPEG-4 counts no centuries
    with pytest.raises(CodingError):
        recorder.close()
    assert [read_number(picture) for _, picture in decoded(tmp_path / "out.part.mkv")] == list(range(10))


def test_without_frames_there_is_no_file(tmp_path: Path) -> None:
    assert Recorder(tmp_path / "out.mp4", 96, 192).close().frames == 0
    assert names(tmp_path) == []


WRITER = textwrap.dedent(
    """
    import sys
    import numpy as np
    from app.recording import Recorder

    rate, frames = float(sys.argv[2]), int(sys.argv[3])
    moving = np.random.default_rng(1).integers(0, 1 + int(sys.argv[4]), (120, 400, 3), np.uint8)
    recorder = Recorder(sys.argv[1], 96, 192, rate)
    for number in range(frames):
        recorder.write(moving[:, number % 200 : number % 200 + 192], number / rate)
        print(number + 1, flush=True)
    """
)


@pytest.mark.parametrize("rate", [1.0, 10.0, 30.0])
@pytest.mark.parametrize("noise", [0, 255])
def test_kill_9_loses_at_most_the_last_second(tmp_path: Path, rate: float, noise: int) -> None:
    """Of a still picture too, whose few bytes would wait in buffers."""
    command = [sys.executable, "-c", WRITER, str(tmp_path / "out.mp4"), str(rate), "100000", str(noise)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout is not None
        written = next(int(line) for line in child.stdout if int(line) == 67)
        child.send_signal(signal.SIGKILL)
        written = max([written, *map(int, child.stdout.read().split())])
    assert names(tmp_path) == ["out.part.mkv"]
    readable = sum(1 for _ in decoded(tmp_path / "out.part.mkv"))
    assert readable >= written - rate


def test_what_kill_9_left_is_not_overwritten_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "out.part.mkv").write_bytes(b"an interrupted recording")
    with pytest.raises(RecordingError, match=r"out\.part\.mkv is left from a recording .* --force"):
        Recorder(tmp_path / "out.mp4", 96, 192)
    assert (tmp_path / "out.part.mkv").read_bytes() == b"an interrupted recording"
    record(tmp_path / "out.mp4", 5, force=True)
    assert names(tmp_path) == ["out.mp4"]


def test_a_part_file_that_another_program_writes_is_never_replaced(tmp_path: Path) -> None:
    first = Recorder(tmp_path / "out.mp4", 96, 192, 5.0)
    first.write(numbered_picture(1), 0.0)
    with pytest.raises(RecordingError, match="being written by another recording"):
        Recorder(tmp_path / "out.mp4", 96, 192, force=True)
    assert first.close().frames == 1


def test_a_part_file_is_held_until_it_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def looked_at(*arguments: Any, **options: Any) -> RecordingResult:
        seen.append(left_overs(tmp_path))
        return finish(*arguments, **options)

    monkeypatch.setattr("app.recording.recorder.finish", looked_at)
    record(tmp_path / "out.mp4", 5)
    assert seen == [[]], "another program that starts meanwhile must not take it for a left-over"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_a_recording_waits_for_whoever_looks_at_its_part_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def looked_at(path: Path) -> int:
        fd = create_private(path)
        looker = os.open(path, os.O_RDONLY)
        fcntl.flock(looker, fcntl.LOCK_EX)
        threading.Timer(0.3, os.close, [looker]).start()
        return fd

    monkeypatch.setattr("app.recording.part_file.create_private", looked_at)
    with Recorder(tmp_path / "out.mp4", 96, 192, 5.0) as recorder:
        recorder.write(numbered_picture(1), 0.0)
        time.sleep(0.4)
        assert left_overs(tmp_path) == []


def test_a_part_file_that_somebody_removed_as_empty_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def removed_once(path: Path) -> int:
        fd = create_private(path)
        if not made:
            recover(path)
        made.append(path)
        return fd

    monkeypatch.setattr("app.recording.part_file.create_private", removed_once)
    record(tmp_path / "out.mp4", 5)
    assert len(made) == 2
    assert names(tmp_path) == ["out.mp4"]


def test_a_file_that_is_there_is_replaced_only_when_forced_and_only_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    target.write_text("mine")
    with pytest.raises(RecordingError, match=r"out\.mp4 exists; .* --force"):
        Recorder(target, 96, 192)
    recorder = Recorder(target, 96, 192, 5.0, force=True)
    recorder.write(numbered_picture(1), 0.0)
    assert target.read_text() == "mine"
    recorder.close()
    assert [read_number(picture) for _, picture in decoded(target)] == [1]


def test_a_file_that_appears_meanwhile_is_kept_and_the_recording_too(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", 96, 192, 5.0)
    recorder.write(numbered_picture(5), 0.0)
    (tmp_path / "out.mp4").write_text("mine")
    with pytest.raises(RecordingError, match=r"has appeared meanwhile.*out\.part\.mkv, which plays"):
        recorder.close()
    assert (tmp_path / "out.mp4").read_text() == "mine"
    assert [read_number(picture) for _, picture in decoded(tmp_path / "out.part.mkv")] == [5]
    (tmp_path / "out.mp4").unlink()
    assert recorder.close().frames == 1, "once nothing is in the way, closing again finishes it"
    assert names(tmp_path) == ["out.mp4"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing/out.mp4", r"folder .*missing does not exist"),
        ("out.avi", r"Recordings are MP4 files: name it out\.mp4, not out\.avi"),
        ("folder.mp4", r"folder\.mp4 is a folder"),
        ("file.txt/out.mp4", r"cannot be written \(not a directory\)"),
    ],
)
def test_a_target_that_cannot_be_written_is_a_sentence_before_anything_is_recorded(
    tmp_path: Path, name: str, sentence: str
) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file.txt").write_text("a file")
    before = names(tmp_path)
    with pytest.raises(RecordingError, match=sentence):
        check_target(tmp_path / name, force=False)
    assert names(tmp_path) == before


def test_looking_whether_a_target_can_be_written_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_text("mine")
    (tmp_path / "out.part.mkv").write_text("and this")
    check_target(tmp_path / "out.mp4", force=True)
    assert (tmp_path / "out.mp4").read_text() == "mine"
    assert (tmp_path / "out.part.mkv").read_text() == "and this"


FULL_DISK = textwrap.dedent(
    """
    import resource, sys
    import numpy as np
    from app.recording import Recorder
    from detector.errors import RecordingError

    noise = np.random.default_rng(1).integers(0, 256, (120, 192, 3), np.uint8)
    limit = int(sys.argv[2])
    frames = 0
    try:
        with Recorder(sys.argv[1], 96, 192, 25.0) as recorder:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            for frames in range(int(sys.argv[3])):
                recorder.write(np.roll(noise, frames, 1), frames / 25)
    except RecordingError as error:
        print(frames, error)
    """
)


def test_a_full_disk_stops_the_recording_with_a_sentence_and_a_part_that_plays(tmp_path: Path) -> None:
    """A limit on the size of files fails a write just as a full disk does, and needs no rights."""
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "out.mp4"), "400000", "1000"]
    said = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout
    frames, sentence = said.split(" ", 1)
    assert "out.part.mkv failed (file too large)" in sentence
    assert names(tmp_path) == ["out.part.mkv"]
    assert sum(1 for _ in decoded(tmp_path / "out.part.mkv")) >= int(frames) - 25


def test_a_recording_that_cannot_be_finished_stays_as_its_part(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", 96, 192, 25.0)
    for number in range(50):
        recorder.write(numbered_picture(number), number / 25)
    (tmp_path / "out.part.mp4").mkdir()  # in the way of the file that is made before it is named
    with pytest.raises(RecordingError, match=r"out\.mp4 could not be finished .*out\.part\.mkv, which plays"):
        recorder.close()
    assert sum(1 for _ in decoded(tmp_path / "out.part.mkv")) == 50


def test_a_finished_file_that_lacks_frames_is_not_taken(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", 96, 192, 25.0)
    for number in range(50):
        recorder.write(numbered_picture(number), number / 25)
    fd = os.open(tmp_path / "out.part.mkv", os.O_RDWR)
    os.truncate(fd, os.fstat(fd).st_size // 2)
    os.close(fd)
    with pytest.raises(RecordingError, match="could not be finished"):
        recorder.close()
    assert names(tmp_path) == ["out.part.mkv"]
