"""What the program and a decoding child say to each other, over a socket of their own.

The child reads what strangers have written and is not trusted: what comes from it is numbers, JSON and coded
pictures, never something that runs (a pickle would). Pixels lie in shared memory; only their place is told.
"""

import enum
import json
import socket
import struct
from typing import Any

_HEAD = struct.Struct("<cI")  # kind, length of what follows
_LONGEST = 64 * 2**20  # bytes: far more than the largest coded picture

SHOT = struct.Struct("<IIIIdd")  # generation, slot, height, width, pts, captured_at
PACKET = struct.Struct("<dd?")  # pts, dts, keyframe; the coded picture follows


class Kind(enum.Enum):
    """What a message is; the first ones go to the child, the others come from it."""

    OPEN = b"O"  # generation, reader, arguments
    SEEK = b"S"  # generation, seconds, before
    TAKEN = b"T"  # a slot is free again
    STOP = b"X"  # no more is wanted

    BEGUN = b"b"
    OPENED = b"o"
    ALIVE = b"a"  # something came, though no picture yet
    SEARCHING = b"s"  # on its way to the place of a seek
    RING = b"r"  # the slots have a new size
    SHOT = b"p"
    FORMAT = b"f"
    PACKET = b"k"
    PLACE = b"w"  # which file, and whatever the reader needs to go on from there
    NOTE = b"n"  # a sentence for the log
    ENDED = b"e"
    FAILED = b"!"


class Nonsense(Exception):  # noqa: N818  not an error of ours
    """The other side no longer speaks this language."""


class HungUp(Exception):  # noqa: N818  not an error of ours
    """The other side has gone."""


class Channel:
    """Messages over a socket, one thread on each side."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._held = bytearray()
        self._posted = bytearray()

    def send(self, kind: Kind, content: bytes = b"") -> None:
        """With what was posted before.

        raises  HungUp
        """
        self.post(kind, content)
        self.flush()

    def post(self, kind: Kind, content: bytes = b"") -> None:
        """Sent with the next message, or by `flush`: each one sent wakes the other side."""
        self._posted += _HEAD.pack(kind.value, len(content)) + content

    def flush(self) -> None:
        """raises  HungUp"""
        if not self._posted:
            return
        try:
            self._socket.settimeout(None)
            self._socket.sendall(self._posted)
        except OSError as error:
            raise HungUp from error
        self._posted.clear()

    def send_json(self, kind: Kind, **content: Any) -> None:
        self.send(kind, json.dumps(content).encode())

    def receive(self, timeout: float | None) -> tuple[Kind, bytes] | None:
        """The next message; None when there is none within so many seconds (None: however long it takes).

        raises  HungUp, Nonsense
        """
        while (message := self.held()) is None:
            try:
                self._socket.settimeout(timeout)
                received = self._socket.recv(1 << 18)
            except (TimeoutError, BlockingIOError):
                return None
            except OSError as error:
                raise HungUp from error
            if not received:
                raise HungUp
            self._held += received
        return message

    def close(self) -> None:
        self._socket.close()

    def held(self) -> tuple[Kind, bytes] | None:
        """The next message, if it has arrived with one before.

        raises  Nonsense
        """
        if len(self._held) < _HEAD.size:
            return None
        code, length = _HEAD.unpack_from(self._held)
        if length > _LONGEST:
            raise Nonsense(f"a message of {length} bytes")
        end = _HEAD.size + length
        if len(self._held) < end:
            return None
        content = bytes(self._held[_HEAD.size : end])
        del self._held[:end]
        try:
            return Kind(code), content
        except ValueError as error:
            raise Nonsense(f"a message of kind {code!r}") from error


def from_json(content: bytes) -> dict[str, Any]:
    """raises  Nonsense"""
    try:
        value = json.loads(content)
    except ValueError as error:
        raise Nonsense("no JSON") from error
    if not isinstance(value, dict):
        raise Nonsense("no JSON object")
    return value
