"""Pictures, folders and cameras as sources."""

import ctypes
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.sources import FoundCamera, State, Status, files_in, frames, list_cameras, open_source
from app.sources.camera import Camera
from app.sources.cameras import modes_of
from app.sources.folder import Pictures
from detector.errors import SourceError
from detector.values import Frame, Pixels
from tests.app.videos import (
    after,
    frames_of,
    numbered_picture,
    read_number,
    read_until,
    statuses,
    write_video,
)


def _write_picture(path: Path, number: int, pixels: Pixels | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = numbered_picture(number) if pixels is None else pixels
    path.write_bytes(cv2.imencode(path.suffix, picture)[1].tobytes())


def test_a_picture_is_one_frame_and_stays_the_last(tmp_path: Path):
    _write_picture(tmp_path / "bild-ü 日本.png", 7)
    items = list(open_source(str(tmp_path / "bild-ü 日本.png")))
    (frame,) = (item for item in items if isinstance(item, Frame))
    assert np.array_equal(frame.pixels, numbered_picture(7))
    assert (frame.source, frame.pts) == ("bild-ü 日本.png", 0.0)
    assert [status.state for status in statuses(items)] == [State.CONNECTING, State.LIVE, State.ENDED]


def test_a_folder_is_shown_in_the_order_a_person_counts(tmp_path: Path):
    order = ["1.png", "2.png", "10.PNG", "a2.jpg", "A10.jpg", "sub/1.bmp"]
    for number, name in enumerate(order):
        _write_picture(tmp_path / name, number)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden.png").write_bytes(b"")
    assert [path.relative_to(tmp_path).as_posix() for path in files_in(tmp_path)] == order
    source = open_source(str(tmp_path))
    read = frames_of(source)
    assert [read_number(frame.pixels) for frame in read] == list(range(6))
    assert [frame.source for frame in read] == order
    assert [frame.pts for frame in read] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert source.seekable and source.duration == 6.0


@pytest.mark.parametrize(("seconds", "before", "number"), [(2.0, False, 2), (1.2, False, 2), (3.0, True, 2)])
def test_a_folder_of_pictures_can_be_sought_in(tmp_path: Path, seconds: float, before: bool, number: int):
    for index in range(5):
        _write_picture(tmp_path / f"{index}.png", index)
    source = Pictures(tmp_path)
    source.seek(seconds, before=before)
    read = frames_of(source)
    assert [read_number(frame.pixels) for frame in read] == list(range(number, 5))
    assert read[0].pts == number


def test_the_end_of_a_folder_is_its_last_picture(tmp_path: Path):
    _write_picture(tmp_path / "0.png", 0)
    _write_picture(tmp_path / "1.png", 1)
    (frame,) = frames_of(open_source(str(tmp_path), start=50))
    assert read_number(frame.pixels) == 1


def test_videos_among_pictures_play_in_their_turn(tmp_path: Path):
    _write_picture(tmp_path / "1.png", 100)
    write_video(tmp_path / "2.mp4", 5)
    _write_picture(tmp_path / "3.png", 200)
    source = open_source(str(tmp_path))
    read = frames_of(source)
    assert [read_number(frame.pixels) for frame in read] == [100, 0, 1, 2, 3, 4, 200]
    assert [frame.source for frame in read] == ["1.png", *["2.mp4"] * 5, "3.png"]
    assert [frame.pts for frame in read] == pytest.approx([0, 1, 1.04, 1.08, 1.12, 1.16, 1.2])
    assert not source.seekable


def test_what_cannot_be_read_is_left_out_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    _write_picture(tmp_path / "1.png", 1)
    (tmp_path / "2.png").write_bytes(b"no picture")
    (tmp_path / "3.mp4").write_bytes(b"no video")
    _write_picture(tmp_path / "4.png", 4)
    items = list(open_source(str(tmp_path)))
    assert [read_number(item.pixels) for item in items if isinstance(item, Frame)] == [1, 4]
    last = items[-1]
    assert isinstance(last, Status) and "2 of 4 files could not be read" in last.sentence
    assert "2.png" in caplog.text and "3.mp4" in caplog.text


@pytest.mark.parametrize("name", ["1.mp4", "1.png"])
def test_a_stopped_folder_says_nothing_more(tmp_path: Path, name: str):
    write_video(tmp_path / "1.mp4", 3)
    _write_picture(tmp_path / "1.png", 1)
    (tmp_path / ({"1.mp4", "1.png"} - {name}).pop()).unlink()
    source = open_source(str(tmp_path))
    source.stop()
    assert [status.state for status in source] == [State.CONNECTING]  # type: ignore[union-attr]


def test_pictures_that_come_and_go_while_a_folder_is_shown_are_taken_as_they_are(tmp_path: Path):
    for index in range(3):
        _write_picture(tmp_path / f"{index}.png", index)
    # The decoder is ahead, but before pictures of another size it waits until those at hand were taken.
    large = np.full((300, 300, 3), 90, np.uint8)
    for index in range(3, 9):
        _write_picture(tmp_path / f"{index}.png", index, large)
    shown = []
    for frame in frames(open_source(str(tmp_path))):
        if frame.source == "0.png":
            (tmp_path / "8.png").unlink()
            _write_picture(tmp_path / "new.png", 42)
        shown.append(frame.source)
    assert shown == [*(f"{index}.png" for index in range(8)), "new.png"]


def _png_header(width: int, height: int) -> bytes:
    """A file that claims to be a large picture, and is 60 bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.png", b"", "empty.png"),
        ("text.jpg", b"hello", "text.jpg"),
        ("huge.png", _png_header(30_000, 30_000), "30000x30000"),
        ("missing.png", None, "no such file"),
        ("folder", "folder", "no pictures"),
        ("folder.png", "folder", "no pictures"),
    ],
)
def test_what_is_no_picture_is_one_sentence(
    tmp_path: Path, name: str, content: bytes | str | None, words: str
):
    if content == "folder":
        (tmp_path / name).mkdir()
    elif isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    source = open_source(str(tmp_path / name))
    last = list(source)[-1]
    assert isinstance(last, Status) and last.state is State.FAILED and words in last.sentence
    with pytest.raises(SourceError):
        list(frames(source))


def test_a_camera_that_is_not_there_is_waited_for_and_said():
    items = read_until(open_source("97"), lambda item: isinstance(item, Status) and bool(item.retry_in))
    last = items[-1]
    assert isinstance(last, Status) and last.state is State.RECONNECTING
    assert "camera 97" in last.sentence
    with pytest.raises(SourceError, match="camera 97"):
        next(frames(open_source("97")))


def _sysfs(folder: Path, *nodes: tuple[str, str, int]) -> None:
    for node, name, index in nodes:
        (folder / node).mkdir(parents=True)
        (folder / node / "name").write_text(name + "\n")
        (folder / node / "index").write_text(f"{index}\n")


def test_cameras_are_listed_by_name_once_each_and_by_a_lasting_address(tmp_path: Path):
    devices, links = tmp_path / "video4linux", tmp_path / "by-id"
    _sysfs(devices, ("video10", "Second", 0), ("video0", "HD Webcam", 0), ("video1", "HD Webcam", 1))
    links.mkdir()
    (tmp_path / "video0").touch()
    (links / "usb-HD_Webcam-index0").symlink_to(tmp_path / "video0")
    assert list_cameras(devices, links, tmp_path) == [
        FoundCamera(str(links / "usb-HD_Webcam-index0"), "HD Webcam"),
        FoundCamera("10", "Second"),
    ]


def test_a_computer_without_cameras_has_none(tmp_path: Path):
    assert list_cameras(tmp_path / "none", tmp_path / "none", tmp_path) == []


class _Union(ctypes.Union):
    _fields_ = [("discrete", ctypes.c_uint32 * 2), ("stepwise", ctypes.c_uint32 * 6)]


class _Format(ctypes.Structure):
    """struct v4l2_fmtdesc, as the kernel's header gives it: the oracle of where the fields lie."""

    _fields_ = [
        ("index", ctypes.c_uint32), ("type", ctypes.c_uint32), ("flags", ctypes.c_uint32),
        ("description", ctypes.c_char * 32), ("pixelformat", ctypes.c_uint32),
        ("mbus_code", ctypes.c_uint32), ("reserved", ctypes.c_uint32 * 3),
    ]  # fmt: skip


class _Size(ctypes.Structure):
    _fields_ = [
        ("index", ctypes.c_uint32), ("pixel_format", ctypes.c_uint32), ("type", ctypes.c_uint32),
        ("union", _Union), ("reserved", ctypes.c_uint32 * 2),
    ]  # fmt: skip


class _Interval(ctypes.Structure):
    _fields_ = [
        ("index", ctypes.c_uint32), ("pixel_format", ctypes.c_uint32), ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32), ("type", ctypes.c_uint32), ("union", _Union),
        ("reserved", ctypes.c_uint32 * 2),
    ]  # fmt: skip


def _driver(question: int, buffer: bytearray) -> None:
    """Answers as the driver of a usual webcam does."""
    direction_and_size, number = question >> 16, question & 0xFF
    kind = {2: _Format, 74: _Size, 75: _Interval}[number]
    assert direction_and_size == 0xC000 | ctypes.sizeof(kind) and question >> 8 & 0xFF == ord("V")
    asked = kind.from_buffer(buffer)
    codings = [int.from_bytes(name, "little") for name in (b"MJPG", b"YUYV")]
    sizes = {codings[0]: [(1280, 720), (640, 480)], codings[1]: [(640, 480)]}
    answers = {
        _Format: lambda: codings,
        _Size: lambda: sizes[asked.pixel_format],
        _Interval: lambda: [(1, 30), (1, 15)] if asked.width == 640 else [(1, 30)],
    }[kind]()
    if asked.index >= len(answers):
        raise OSError(22, "no more")
    if kind is _Format:
        assert asked.type == 1
        asked.pixelformat = answers[asked.index]
    else:
        asked.type = 1
        asked.union.discrete = answers[asked.index]


def test_the_modes_of_a_camera_are_asked_of_its_driver():
    assert [str(mode) for mode in modes_of(_driver)] == [
        "1280 × 720 MJPG, 30/s",
        "640 × 480 YUYV, 30/s",
        "640 × 480 MJPG, 30/s",
        "640 × 480 YUYV, 15/s",
        "640 × 480 MJPG, 15/s",
    ]


def test_a_driver_that_always_has_another_answer_is_not_asked_for_ever():
    def endless(question: int, buffer: bytearray) -> None:
        pass

    assert modes_of(endless) == ()


def file_as_camera(path: Path) -> Camera:
    """No camera at hand: OpenCV reads a file instead, everything else is the camera's own code."""
    return Camera(str(path), reader="tests.app.file_as_camera")


def test_a_camera_gives_frames_with_rising_times(tmp_path: Path):
    write_video(tmp_path / "a.avi", 30, codec="mjpeg")
    camera = file_as_camera(tmp_path / "a.avi")
    items = read_until(camera, after(10))
    seen = [item for item in items if isinstance(item, Frame)]
    assert [read_number(frame.pixels) for frame in seen] == list(range(10))
    times = [frame.pts for frame in seen]
    assert times[0] == 0.0 and times == sorted(times)
    live = list(statuses(items))[-1]
    assert "192x96 MJPG" in live.sentence and camera.live and camera.rate == 25.0


def test_a_camera_that_stops_is_taken_for_unplugged(tmp_path: Path):
    write_video(tmp_path / "a.avi", 3, codec="mjpeg")
    items = read_until(
        file_as_camera(tmp_path / "a.avi"), lambda item: isinstance(item, Status) and bool(item.retry_in)
    )
    assert "unplugged" in list(statuses(items))[-1].sentence


def test_a_camera_that_repeats_one_picture_is_taken_for_unplugged(tmp_path: Path):
    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter.fourcc(*"FFV1"), 25, (192, 96))
    for number in (0, *[1] * 130):  # the last ones of 5.2 s
        writer.write(numbered_picture(number))
    writer.release()
    items = read_until(
        file_as_camera(tmp_path / "a.avi"), lambda item: isinstance(item, Status) and bool(item.retry_in)
    )
    assert "repeats one picture" in list(statuses(items))[-1].sentence
    shown = [item for item in items if isinstance(item, Frame)]
    assert shown[-1].captured_at - shown[1].captured_at >= 1.5  # a still picture is not doubted at once
