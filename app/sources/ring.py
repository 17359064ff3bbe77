"""Memory that a decoding child writes pictures into and the program reads them from: a few slots in turn.

The memory has no name that could be left behind when both are killed, and it can grow but not shrink, so that
a child gone mad cannot take it away under the reader.
"""

import mmap
import os
import secrets
import tempfile

import numpy as np

from app.sources.wire import Nonsense
from detector.values import Pixels

_MOST_SLOTS, _FEWEST_SLOTS = 8, 3  # what a child may be ahead: 0.3 s of a usual camera
_ROOM = 48 * 2**20  # bytes a ring takes, unless its pictures need more
_LARGEST_SLOT = 3 * 100_000_000  # bytes: three for each pixel of the largest picture (`video.MAX_AREA`)


class Memory:
    """Bytes both processes see.

    address  what the child is told: a descriptor it inherits, or on Windows a name
    """

    def __init__(self, address: str | None = None) -> None:
        """Without an address new memory; with one that of the other process."""
        self._descriptor: int | None = None
        if os.name == "nt":
            self.address = address or f"ssd-studio-{os.getpid()}-{secrets.token_hex(8)}"
            return
        self._descriptor = _new_descriptor() if address is None else int(address)
        self.address = str(self._descriptor)

    @property
    def inherited(self) -> tuple[int, ...]:
        """Descriptors the child needs."""
        return () if self._descriptor is None else (self._descriptor,)

    def grow(self, size: int) -> None:
        if self._descriptor is not None and os.fstat(self._descriptor).st_size < size:
            os.ftruncate(self._descriptor, size)

    def map(self, size: int) -> mmap.mmap:
        """The first `size` bytes.

        raises  Nonsense where there are fewer: reading beyond the end would end the process
        """
        if self._descriptor is None:
            # On Windows a mapping cannot grow: each size is a mapping of its own.
            return mmap.mmap(-1, size, f"{self.address}-{size}")  # type: ignore[call-arg,arg-type,unused-ignore]
        if os.fstat(self._descriptor).st_size < size:
            raise Nonsense("a ring larger than its memory")
        return mmap.mmap(self._descriptor, size)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Ring:
    """Slots of one size over a Memory. Who may write which slot is settled by messages, not here.

    slots      how many
    slot_size  bytes of each
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.slots, self.slot_size = 0, 0
        self._bytes = np.zeros(0, np.uint8)

    @property
    def size(self) -> int:
        return self.slots * self.slot_size

    def fits(self, size: int) -> bool:
        """Whether a picture of so many bytes does, without more than four times the room it needs."""
        return size <= self.slot_size <= max(4 * size, 2**20)

    def lay_out(self, slot_size: int) -> None:
        """By the child, while no slot is in use."""
        self.slot_size = -slot_size % mmap.PAGESIZE + slot_size
        self.slots = max(_FEWEST_SLOTS, min(_MOST_SLOTS, _ROOM // self.slot_size))
        self._memory.grow(self.size)
        self._map()

    def follow(self, slots: int, slot_size: int) -> None:
        """By the program, once the child has said what it laid out.

        raises  Nonsense
        """
        if not (0 < slots <= _MOST_SLOTS and 0 < slot_size <= _LARGEST_SLOT + mmap.PAGESIZE):
            raise Nonsense(f"a ring of {slots} slots of {slot_size} bytes")
        self.slots, self.slot_size = slots, slot_size
        self._map()

    def view(self, slot: int, height: int, width: int) -> Pixels:
        """The picture in a slot, in place: (height, width, 3) uint8.

        raises  Nonsense when it does not fit
        """
        size = 3 * height * width
        if not (slot < self.slots and 0 < size <= self.slot_size):
            raise Nonsense(f"a picture of {width}x{height} in slot {slot}")
        start = slot * self.slot_size
        return self._bytes[start : start + size].reshape(height, width, 3)

    def _map(self) -> None:
        self._bytes = np.frombuffer(self._memory.map(self.size), np.uint8)


def _new_descriptor() -> int:
    if hasattr(os, "memfd_create"):
        import fcntl

        descriptor = os.memfd_create("ssd-studio-frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        return descriptor
    with tempfile.TemporaryFile() as file:  # without a name; in memory as long as there is room
        return os.dup(file.fileno())
