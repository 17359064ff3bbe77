"""The outermost fields of a protobuf file, without knowing what they mean and without loading them."""

import mmap
from pathlib import Path

_VARINT, _EIGHT_BYTES, _COUNTED, _FOUR_BYTES = 0, 1, 2, 5
_MOST_FIELDS = 200_000  # more than any network has layers


def top_level_fields(path: Path) -> list[tuple[int, int]] | None:
    """(field number, wire type) of each, in order; None when the file is no protobuf message from end to end.

    A file that ends within its last field still counts: a message cut off, and whoever reads it says so.
    """
    fields: list[tuple[int, int]] = []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        place = 0
        try:
            while place < len(content) and len(fields) < _MOST_FIELDS:
                key, place = _varint(content, place)
                fields.append((key >> 3, key & 7))
                place = _behind(content, place, key & 7)
        except ValueError:
            return None
    return fields if all(number > 0 for number, _ in fields) and len(fields) < _MOST_FIELDS else None


def _behind(content: mmap.mmap, place: int, kind: int) -> int:
    """Where the value that begins at `place` ends."""
    if kind == _VARINT:
        return _varint(content, place)[1]
    if kind == _COUNTED:
        length, start = _varint(content, place)
        return start + length
    if kind in (_EIGHT_BYTES, _FOUR_BYTES):
        return place + (8 if kind == _EIGHT_BYTES else 4)
    raise ValueError("no wire type of protobuf")


def _varint(content: mmap.mmap, place: int) -> tuple[int, int]:
    """The number and where it ends."""
    value = 0
    for index, byte in enumerate(content[place : place + 10]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, place + index + 1
    raise ValueError("no number")
