"""Picture files: sizes without decoding, which way up they stand, and what cannot be read."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import SourceError
from detector.pictures import PictureHeader, read_header, read_picture, turn_boxes, turn_pixels


def exif(orientation: int, order: str) -> bytes:
    """A TIFF directory with one other tag before the orientation."""
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    other, wanted = (0x010E, 2, 4, 0), (0x0112, 3, 1)
    value = struct.pack(order + "HH", orientation, 0)
    entries = struct.pack(order + "HHII", *other) + struct.pack(order + "HHI", *wanted) + value
    return mark + struct.pack(order + "IH", 8, 2) + entries + bytes(4)


def with_exif(content: bytes, block: bytes) -> bytes:
    if content.startswith(b"\x89PNG"):
        chunk = b"eXIf" + block
        whole = struct.pack(">I", len(block)) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return content[:33] + whole + content[33:]
    segment = b"Exif\0\0" + block
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + content[2:]


def encoded(suffix: str) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 5, 3)).astype(np.uint8)
    return cv2.imencode(suffix, cv2.resize(pixels, (50, 40)))[1].tobytes()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_opencv_turns_them(tmp_path, suffix, order, orientation):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(with_exif(encoded(suffix), exif(orientation, order)))
    header = read_header(path)
    assert header == PictureHeader(40, 50, orientation)
    upright = read_picture(path)
    assert upright.shape[:2] == header.upright_size
    np.testing.assert_array_equal(upright, cv2.imread(str(path), cv2.IMREAD_COLOR))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_turns_onto_the_pixels_it_was_drawn_around(orientation):
    pixels = np.zeros((40, 50, 3), np.uint8)
    pixels[5:12, 8:30] = 255
    (box,) = turn_boxes(np.float32([[8, 5, 30, 12]]), PictureHeader(40, 50, orientation))
    rows, columns = np.nonzero(turn_pixels(pixels, orientation)[:, :, 0])
    assert box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize("suffix", [".bmp", ".webp", ".tiff"])
def test_other_formats_tell_their_size_too(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(encoded(suffix))
    assert read_header(path) == PictureHeader(40, 50)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"text"])
def test_what_is_no_picture_is_refused_in_a_sentence(tmp_path, content):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    for read in (read_header, read_picture):
        with pytest.raises(SourceError, match=r"a\.jpg: no picture could be read"):
            read(path)


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    for name in ("missing.jpg", "zero\0byte.jpg"):
        for read in (read_header, read_picture):
            with pytest.raises(SourceError, match="cannot be read"):
                read(tmp_path / name)


@given(
    st.sampled_from([".jpg", ".png"]),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=6),
    st.integers(20, 2000),
)
def test_a_header_with_wrong_bytes_gives_a_size_or_a_sentence(tmp_path_factory, suffix, changes, length):
    content = bytearray(with_exif(encoded(suffix), exif(6, ">")))
    for place, byte in changes:
        content[place] = byte
    path = tmp_path_factory.getbasetemp() / f"damaged{suffix}"
    path.write_bytes(content[:length])
    try:
        header = read_header(path)
    except SourceError:
        return
    assert min(header.upright_size) > 0
