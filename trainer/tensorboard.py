"""Curves for TensorBoard, written without TensorFlow.

An events file is a row of records (length, its check sum, content, its check sum); each content is a protocol
buffer: wall time, step, and a list of named numbers.
"""

import struct
import time
from collections.abc import Mapping
from pathlib import Path


class EventsFile:
    """Appends numbers to an events file of its own in a folder; every record is whole on the disk."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        number = 0
        while (path := folder / f"events.out.tfevents.{int(time.time())}.{number}.studio").exists():
            number += 1
        self._path = path
        self._append(_field(3, b"brain.Event:2"))  # the version every file begins with

    def add(self, step: int, numbers: Mapping[str, float]) -> None:
        """The numbers of a step, by the names of their curves."""
        values = b"".join(
            _field(1, _field(1, name.encode()) + b"\x15" + struct.pack("<f", value))
            for name, value in numbers.items()
        )
        self._append(b"\x10" + _varint(step) + _field(5, values))

    def _append(self, content: bytes) -> None:
        event = b"\x09" + struct.pack("<d", time.time()) + content
        length = struct.pack("<Q", len(event))
        record = length + _check_sum(length) + event + _check_sum(event)
        with self._path.open("ab") as file:
            file.write(record)


def _field(number: int, content: bytes) -> bytes:
    """A field of a protocol buffer that holds bytes."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the top bit says that more follow."""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)  # Castagnoli's polynomial, bits reversed
        table.append(byte)
    return tuple(table)


_CRC = _crc_table()


def _check_sum(content: bytes) -> bytes:
    """CRC-32C, turned and shifted as the format asks."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
