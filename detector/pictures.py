"""Picture files: their size without decoding them, their pixels upright, and boxes turned the same way.

A camera held sideways stores the picture as the sensor saw it and notes in the EXIF field "orientation" how
it must be turned to stand upright. That number is read in one place, so pixels and boxes cannot disagree.
"""

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.errors import SourceError
from detector.values import Boxes, Pixels

# Turning upright, by EXIF orientation: swap the axes?, then mirror left-right?, then mirror top-bottom?
_TURNS = {
    1: (False, False, False), 2: (False, True, False), 3: (False, True, True), 4: (False, False, True),
    5: (True, False, False), 6: (True, True, False), 7: (True, True, True), 8: (True, False, True),
}  # fmt: skip
_ORIENTATION_TAG = 0x0112


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """A picture file as it is stored.

    height, width  pixels as stored, before turning
    orientation    EXIF orientation, 1 to 8; 1 stands upright already
    """

    height: int
    width: int
    orientation: int = 1

    @property
    def upright_size(self) -> tuple[int, int]:
        """Height and width of the picture as `read_picture` gives it."""
        return (self.width, self.height) if _TURNS[self.orientation][0] else (self.height, self.width)


def read_picture(path: Path) -> Pixels:
    """The pixels of a picture file, upright.

    returns  (height, width, 3) uint8, BGR
    raises   SourceError when the file cannot be read as a picture
    """
    content = _content(path)
    pixels = _decode(content)
    if pixels is None:
        raise SourceError(
            f"{path}: no picture could be read from this file; is it damaged or of another format?"
        )
    header = _header(io.BytesIO(content))
    return turn_pixels(pixels, header.orientation) if header else pixels


def read_header(path: Path) -> PictureHeader:
    """Size and orientation of a picture file: from the first bytes of a JPEG or PNG, else by decoding it.

    raises  SourceError when the file cannot be read as a picture
    """
    try:
        with path.open("rb") as stream:
            header = _header(stream)
    except (OSError, ValueError) as error:  # ValueError: no file can have such a name
        raise SourceError(f"{path}: cannot be read ({_reason(error)})") from error
    if header:
        return header
    height, width = read_picture(path).shape[:2]
    return PictureHeader(height, width)


def turn_pixels(pixels: Pixels, orientation: int) -> Pixels:
    """A stored picture turned upright."""
    swap, left_right, top_bottom = _TURNS[orientation]
    if swap:
        pixels = pixels.swapaxes(0, 1)
    if left_right:
        pixels = pixels[:, ::-1]
    if top_bottom:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def turn_boxes(boxes: NDArray[Any], header: PictureHeader) -> Boxes:
    """Boxes drawn on the stored picture, moved to where their objects are once it stands upright.

    boxes    (n, 4) x1, y1, x2, y2, pixels of the stored picture
    returns  (n, 4) float32, pixels of the upright picture
    """
    swap, left_right, top_bottom = _TURNS[header.orientation]
    height, width = header.upright_size
    turned = boxes[:, [1, 0, 3, 2]] if swap else boxes.copy()
    if left_right:
        turned[:, [0, 2]] = width - turned[:, [2, 0]]
    if top_bottom:
        turned[:, [1, 3]] = height - turned[:, [3, 1]]
    return turned.astype(np.float32)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: cannot be read ({_reason(error)})") from error


def _decode(content: bytes) -> Pixels | None:
    if not content:
        return None
    try:
        # Not `cv2.imread`: on Windows it opens no path outside the system's code page.
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        pixels: Any = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
        if pixels is None:
            return None
        if _may_be_transparent(content):
            return _on_grey(pixels, cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED))
    except cv2.error:
        return None
    return np.asarray(pixels, np.uint8)


def _may_be_transparent(content: bytes) -> bool:
    if content[:4] == b"\x89PNG":
        return content[25:26] in (b"\3", b"\4", b"\6")  # palette, grey with alpha, colour with alpha
    return content[8:12] == b"WEBP" and content[12:16] != b"VP8 "


def _on_grey(pixels: Any, stored: Any) -> Pixels:
    """What is transparent shows mid-grey, not the colour that happens to be stored beneath."""
    if stored.ndim < 3 or stored.shape[2] < 4:
        return np.asarray(pixels, np.uint8)
    alpha = stored[..., 3:].astype(np.float32) / np.iinfo(stored.dtype).max
    return np.asarray(np.rint(pixels * alpha + 128 * (1 - alpha)), np.uint8)


def _header(stream: BinaryIO) -> PictureHeader | None:
    """None for other formats than JPEG and PNG, and for files that break off."""
    try:
        start = stream.read(8)
        if start[:3] == b"\xff\xd8\xff":
            stream.seek(2)
            return _jpeg_header(stream)
        if start == b"\x89PNG\r\n\x1a\n":
            return _png_header(stream)
    except (struct.error, IndexError):
        pass
    return None


def _jpeg_header(stream: BinaryIO) -> PictureHeader | None:
    orientation = 1
    while True:
        byte = stream.read(1)
        while byte and byte != b"\xff":
            byte = stream.read(1)
        while byte == b"\xff":  # markers may be padded
            byte = stream.read(1)
        marker = byte[0]
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # these carry nothing
            continue
        if marker in (0xD9, 0xDA):  # the picture's end or its coded pixels, before any size
            return None
        (length,) = struct.unpack(">H", stream.read(2))
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">xHH", stream.read(5))
            return PictureHeader(height, width, orientation) if height and width else None
        if marker == 0xE1 and orientation == 1:
            orientation = _orientation(stream.read(length - 2), after=b"Exif\0\0")
        else:
            stream.seek(length - 2, io.SEEK_CUR)


def _png_header(stream: BinaryIO) -> PictureHeader | None:
    width, height, orientation = 0, 0, 1
    while True:
        length, kind = struct.unpack(">I4s", stream.read(8))
        if kind == b"IHDR":
            width, height = struct.unpack(">II", stream.read(8))
            stream.seek(length - 8 + 4, io.SEEK_CUR)
        elif kind == b"eXIf":
            orientation = _orientation(stream.read(length))
            stream.seek(4, io.SEEK_CUR)
        elif kind in (b"IDAT", b"IEND"):
            return PictureHeader(height, width, orientation) if height and width else None
        else:
            stream.seek(length + 4, io.SEEK_CUR)


def _orientation(exif: bytes, *, after: bytes = b"") -> int:
    """The orientation noted in a block of EXIF (a small TIFF file), 1 where there is none."""
    if not exif.startswith(after):
        return 1
    tiff = exif[len(after) :]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, directory)
        for entry in range(entries):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, directory + 2 + 12 * entry)
            if tag == _ORIENTATION_TAG and kind == 3:
                return value if value in _TURNS else 1
    except struct.error:
        pass
    return 1


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
