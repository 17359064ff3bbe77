"""Decoding in a child process: whatever happens to the child, the program gets a sentence and goes on."""

import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.sources import Source, State, Status, attempt, open_source
from app.sources.decoder import Decoder, decoding_seconds, take_decoder
from app.sources.file import VideoFile
from app.sources.folder import Pictures
from app.sources.ring import Memory, Ring
from app.sources.wire import Nonsense
from detector.errors import SourceError
from detector.values import Frame
from tests.app.decoders import children, descriptors, send_all
from tests.app.test_redaction import EXAMPLES
from tests.app.videos import (
    after,
    eventually,
    frames_of,
    numbered_picture,
    read_number,
    read_until,
    statuses,
    write_video,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


def unruly(folder: Path, what: str) -> Source:
    (folder / "unruly.mp4").write_text(what)
    return VideoFile(folder / "unruly.mp4", reader="tests.app.unruly")


def numbers(items: list[Frame | Status]) -> list[int]:
    return [read_number(item.pixels) for item in items if isinstance(item, Frame)]


def test_a_decoder_killed_in_mid_stream_goes_on_where_it_was(tmp_path: Path):
    write_video(tmp_path / "a.mp4", 100, b_frames=2)
    source, seen = open_source(str(tmp_path / "a.mp4")), []
    for item in source:
        seen.append(item)
        if len(numbers(seen)) == 20 and isinstance(item, Frame):
            send_all(signal.SIGSEGV)
    assert numbers(seen) == list(range(100))
    assert [status.state for status in statuses(seen)] == [State.CONNECTING, State.LIVE, State.ENDED]


def test_a_crash_that_happens_once_is_not_seen(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    items = list(unruly(tmp_path, "crash once"))
    assert numbers(items) == list(range(10))
    assert "SIGSEGV" in caplog.text and "tests/app/unruly.py" in caplog.text  # where it was


@pytest.mark.parametrize("what", ["crash", "exit", "nonsense", "too far"])
def test_a_file_that_crashes_the_decoder_again_is_a_sentence(tmp_path: Path, what: str):
    items = list(unruly(tmp_path, what))
    assert numbers(items) == [0, 1, 2, 3, 4]
    last = items[-1]
    assert isinstance(last, Status) and last.state is State.CRASHED and last.retry_in is None
    assert "unruly.mp4" in last.sentence and "4.00 s" in last.sentence


def test_pictures_that_came_before_a_crash_are_seen_by_a_slow_reader_too(tmp_path: Path):
    send_all(signal.SIGKILL)  # kept for the next source
    assert eventually(lambda: not children())
    seen: list[Frame | Status] = []
    for item in unruly(tmp_path, "wait, then crash"):
        seen.append(item)
        if isinstance(item, Frame):
            (tmp_path / "unruly.mp4.go").touch()
            assert eventually(lambda: not children(), 10)
    assert numbers(seen) == [0, 1, 2, 3, 4]


def test_after_a_crash_the_person_can_go_on_from_a_later_place(tmp_path: Path):
    source = unruly(tmp_path, "crash")
    with pytest.raises(SourceError, match="crashes"):  # as a command is told
        list(attempt(source))
    source.seek(7.0)
    assert numbers(list(source)) == [7, 8, 9]


def test_a_picture_that_crashes_the_decoder_is_left_out_of_its_folder(tmp_path: Path, caplog):
    for name in ("1", "3"):
        write_video(tmp_path / f"{name}.mp4", 3)
    (tmp_path / "2.mp4").write_bytes(b"crash")
    items = list(Pictures(tmp_path, reader="tests.app.unruly_folder"))
    assert [item.source for item in items if isinstance(item, Frame)] == ["1.mp4"] * 3 + ["3.mp4"] * 3
    last = items[-1]
    assert isinstance(last, Status) and "1 of 3 files could not be read" in last.sentence
    assert "left out: 2.mp4" in caplog.text


def test_a_read_that_never_returns_does_not_hold_up_stopping(tmp_path: Path):
    source = unruly(tmp_path, "hang")
    reader = threading.Thread(target=lambda: list(source))
    reader.start()
    assert eventually(lambda: source._sequence == 5)
    source.stop()
    reader.join(5.0)
    assert not reader.is_alive()


def test_a_defect_in_a_reader_is_a_sentence_and_the_log_knows_more_without_passwords(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    last = list(unruly(tmp_path, "defect"))[-1]
    assert isinstance(last, Status) and last.state is State.FAILED
    assert last.sentence == "unruly.mp4: cannot be read (RuntimeError)"
    assert "RuntimeError: rtsp://***@10.0.0.5/live" in caplog.text and "hunter2" not in caplog.text


def test_what_a_decoder_writes_to_its_standard_error_is_logged_without_passwords(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG, "app.sources.decoder")
    list(unruly(tmp_path, "say " + "\n".join(text for text, _ in EXAMPLES)))
    expected = ["decoder: " + (masked or text) for text, masked in EXAMPLES]
    assert eventually(lambda: len(caplog.messages) >= len(expected))
    assert caplog.messages == expected


def test_a_frame_in_hand_is_never_written_again(tmp_path: Path):
    write_video(tmp_path / "a.mp4", 60)
    held = frames_of(open_source(str(tmp_path / "a.mp4")))
    assert [read_number(frame.pixels) for frame in held] == list(range(60))
    assert not any(np.shares_memory(one.pixels, held[0].pixels) for one in held[1:])


def test_one_child_reads_one_file_after_the_other(tmp_path: Path):
    write_video(tmp_path / "a.mp4", 3)
    frames_of(open_source(str(tmp_path / "a.mp4")))
    before = children()
    for _ in range(5):
        frames_of(open_source(str(tmp_path / "a.mp4")))
        read_until(open_source(str(tmp_path / "a.mp4")), after(1))
    assert children() == before and len(before) == 1


def test_a_kept_child_that_died_meanwhile_is_replaced(tmp_path: Path):
    write_video(tmp_path / "a.mp4", 3)
    frames_of(open_source(str(tmp_path / "a.mp4")))
    send_all(signal.SIGKILL)
    assert eventually(lambda: not children())
    items = list(open_source(str(tmp_path / "a.mp4")))
    assert numbers(items) == [0, 1, 2]


def test_nothing_stays_behind_a_decoder_that_was_ended():
    take_decoder().end()
    threads, before = threading.active_count(), descriptors()
    decoder = Decoder()
    decoder.end()
    # not more; a thread of the one before may still have been ending
    assert eventually(lambda: descriptors() <= before and threading.active_count() <= threads)
    assert decoder.process_id not in children()


def test_a_child_ends_with_the_program_even_when_that_is_killed(tmp_path: Path):
    (tmp_path / "unruly.mp4").write_text("hang")
    program = (
        "import sys; from pathlib import Path; from app.sources.file import VideoFile\n"
        "for item in VideoFile(Path(sys.argv[1]), reader='tests.app.unruly'):\n"
        "    print('.', flush=True)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "unruly.mp4")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for _ in range(7):  # connecting, live, five pictures
            process.stdout.readline()
        (child,) = (
            int(path.name)
            for path in Path("/proc").glob("[0-9]*")
            if f"PPid:\t{process.pid}\n" in _read(path / "status")
        )
        process.kill()
    assert eventually(lambda: not Path(f"/proc/{child}").exists() or "Z (zombie)" in _read_status(child))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _read_status(process: int) -> str:
    return _read(Path(f"/proc/{process}/status"))


def test_a_child_can_neither_shrink_its_memory_nor_claim_more_than_there_is():
    memory = Memory()
    memory.grow(2**20)
    with pytest.raises(PermissionError):
        os.ftruncate(int(memory.address), 0)
    ring = Ring(memory)
    with pytest.raises(Nonsense):
        ring.follow(8, 2**20)
    with pytest.raises(Nonsense):
        ring.follow(1000, 16)
    ring.follow(1, 2**20)
    for slot, height, width in ((1, 10, 10), (0, 1000, 1000), (0, 0, 10)):
        with pytest.raises(Nonsense):
            ring.view(slot, height, width)
    memory.close()


def test_pictures_of_any_size_follow_each_other(tmp_path: Path):
    sizes = [(3840, 2160), (64, 48), (640, 480), (24, 16), (1920, 1080)]
    for number, (width, height) in enumerate(sizes):
        cv2.imwrite(str(tmp_path / f"{number}.bmp"), numbered_picture(number, width, height))
    read = frames_of(open_source(str(tmp_path)))
    assert [(frame.width, frame.height) for frame in read] == sizes
    for number, frame in enumerate(read):
        assert np.array_equal(frame.pixels, numbered_picture(number, *sizes[number]))


def test_a_child_loads_neither_window_nor_networks(tmp_path: Path):
    write_video(tmp_path / "a.mp4", 3)
    frames_of(open_source(str(tmp_path / "a.mp4")))
    (child,) = children()
    maps = Path(f"/proc/{child}/maps").read_text()
    assert "libav" in maps
    assert not [name for name in ("Qt5", "tensorflow", "openvino", "h5py") if f"/{name}" in maps]


def test_the_password_of_a_stream_stands_in_no_list_of_processes():
    source = open_source("rtsp://cam:hunter2@127.0.0.1:1/live")
    items = iter(source)
    next(items)
    next(items)
    command = b"".join(Path(f"/proc/{child}/cmdline").read_bytes() for child in children())
    environment = b"".join(Path(f"/proc/{child}/environ").read_bytes() for child in children())
    assert command and b"hunter2" not in command + environment
    source.stop()


def test_the_work_of_decoding_can_be_told(tmp_path: Path):
    write_video(tmp_path / "a.mp4", 100, size=(640, 360))
    frames_of(open_source(str(tmp_path / "a.mp4")))
    before = decoding_seconds()
    ticks = os.sysconf("SC_CLK_TCK")
    (child,) = children()
    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    assert before == pytest.approx((int(fields[11]) + int(fields[12])) / ticks, abs=0.1)
    frames_of(open_source(str(tmp_path / "a.mp4")))
    assert decoding_seconds() > before
