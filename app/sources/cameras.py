"""Which cameras this computer has, and what they can do, without switching one on."""

import os
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

_DEVICES = Path("/sys/class/video4linux")
_LINKS = Path("/dev/v4l/by-id")  # these names stay when cameras are plugged in another order
_NODES = Path("/dev")
_MOST = 256  # answers to one question; a broken driver may never say "no more"

# Questions to a driver (linux/videodev2.h).
_FORMAT, _SIZE, _INTERVAL = 0xC0405602, 0xC02C564A, 0xC034564B
_CAPTURE, _DISCRETE = 1, 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE; sizes and intervals that are listed one by one

Ask: TypeAlias = Callable[[int, bytearray], object]  # fills in the answer; raises OSError at "no more"


@dataclass(frozen=True, slots=True, order=True)
class Mode:
    """One way a camera can work: width and height of its pictures, frames/s, how they are coded ("MJPG")."""

    width: int
    height: int
    rate: float
    coding: str

    def __str__(self) -> str:
        return f"{self.width} × {self.height} {self.coding}, {self.rate:g}/s"


@dataclass(frozen=True, slots=True)
class FoundCamera:
    """A camera at this computer.

    address  what `open_source` takes
    name     as the camera calls itself
    modes    largest first; empty where the system does not tell
    """

    address: str
    name: str
    modes: tuple[Mode, ...] = ()


def list_cameras(devices: Path = _DEVICES, links: Path = _LINKS, nodes: Path = _NODES) -> list[FoundCamera]:
    """The cameras of this computer; empty where the system is not Linux and names cannot be asked for."""
    stable = {link.resolve().name: str(link) for link in links.glob("*")} if links.is_dir() else {}
    cameras = []
    for device in sorted(devices.glob("video*"), key=lambda path: int(path.name.removeprefix("video"))):
        try:
            # A camera has several nodes; those after the first carry no pictures.
            if int((device / "index").read_text()) == 0:
                name = (device / "name").read_text().strip()
                address = stable.get(device.name, device.name.removeprefix("video"))
                cameras.append(FoundCamera(address, name, _modes_at(nodes / device.name)))
        except (OSError, ValueError):
            continue
    return cameras


def why_not_there(address: str) -> str | None:
    """Why nothing can be opened at a camera's number or device, in words that follow its name.

    None where that is not known: OpenCV takes its time and gives no reason, but the device files of Linux
    tell at once.
    """
    if sys.platform != "linux":
        return None
    device = Path(f"/dev/video{address}" if address.isdecimal() else address)
    if not device.exists():
        there = ", ".join(f"{camera.address} ({camera.name})" for camera in list_cameras()) or "none"
        return f"is not there; cameras found: {there}"
    if not os.access(device, os.R_OK | os.W_OK):
        return "may not be used; add this user to the group 'video' and log in again"
    return None


def modes_of(ask: Ask) -> tuple[Mode, ...]:
    """What a V4L2 driver offers, largest first.

    ask  as `fcntl.ioctl` on the opened device
    """
    modes = set()
    for (coding,) in _answers(ask, _FORMAT, 64, "I", given=(_CAPTURE,), at=44):
        name = struct.pack("<I", coding & 0x7FFFFFFF).decode("latin1").strip("\0 ")
        for kind, width, height in _answers(ask, _SIZE, 44, "III", given=(coding,), at=8):
            if kind != _DISCRETE:
                continue
            for step, numerator, denominator in _answers(
                ask, _INTERVAL, 52, "III", given=(coding, width, height), at=16
            ):
                if step == _DISCRETE and numerator:
                    modes.add(Mode(width, height, denominator / numerator, name))
    return tuple(sorted(modes, reverse=True))


def _answers(
    ask: Ask, question: int, size: int, answer: str, *, given: tuple[int, ...], at: int
) -> Iterator[tuple[int, ...]]:
    """All answers to a question that is asked with a rising index, as the fields at that offset."""
    for index in range(_MOST):
        buffer = bytearray(size)
        struct.pack_into(f"={1 + len(given)}I", buffer, 0, index, *given)
        try:
            ask(question, buffer)
        except OSError:
            return
        yield struct.unpack_from("=" + answer, buffer, at)


def _modes_at(node: Path) -> tuple[Mode, ...]:
    try:
        return _modes_since(node, node.stat().st_ctime_ns)
    except OSError:
        return ()


@lru_cache(maxsize=32)
def _modes_since(node: Path, plugged_in_at: int) -> tuple[Mode, ...]:
    """Asked once for each time a camera is plugged in: the list is looked at every few seconds."""
    if sys.platform != "linux":
        return ()
    import fcntl

    descriptor = os.open(node, os.O_RDWR | os.O_NONBLOCK)
    try:
        return modes_of(lambda question, buffer: fcntl.ioctl(descriptor, question, buffer))
    finally:
        os.close(descriptor)
