"""Cameras at this computer, by OpenCV."""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from app.sources.reconnecting import LostError, Reconnecting
from app.sources.source import State, Status
from detector.values import Frame, Pixels

_BACKENDS = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}
_HEIGHT, _WIDTH, _RATE = 720, 1280, 30.0  # what a camera is asked for; it grants what it can
_FROZEN = 2.0  # seconds of one and the same picture: real sensors have noise, so the camera is gone
_DEVICES = Path("/sys/class/video4linux")
_LINKS = Path("/dev/v4l/by-id")  # these names stay when cameras are plugged in another order


@dataclass(frozen=True, slots=True)
class FoundCamera:
    """A camera at this computer.

    address  what `open_source` takes
    name     as the camera calls itself
    """

    address: str
    name: str


def list_cameras(devices: Path = _DEVICES, links: Path = _LINKS) -> list[FoundCamera]:
    """The cameras of this computer; empty where the system is not Linux and names cannot be asked for."""
    stable = {link.resolve().name: str(link) for link in links.glob("*")} if links.is_dir() else {}
    cameras = []
    for device in sorted(devices.glob("video*"), key=lambda path: int(path.name.removeprefix("video"))):
        try:
            # A camera has several nodes; those after the first carry no pictures.
            if int((device / "index").read_text()) == 0:
                name = (device / "name").read_text().strip()
                number = device.name.removeprefix("video")
                cameras.append(FoundCamera(stable.get(device.name, number), name))
        except (OSError, ValueError):
            continue
    return cameras


class Camera(Reconnecting):
    """A camera by its number or its device file; it may be unplugged and come back."""

    def __init__(self, address: str) -> None:
        super().__init__(f"camera {address}" if address.isdecimal() else Path(address).name)
        self._address = address
        self._began: float | None = None

    def _connection(self) -> Iterator[Frame | Status]:
        capture = self._open()
        try:
            yield from self._pictures(capture)
        finally:
            capture.release()

    def _open(self) -> cv2.VideoCapture:
        """raises  LostError when there is no such camera now"""
        self._check_presence()
        device = int(self._address) if self._address.isdecimal() else self._address
        capture = cv2.VideoCapture(device, _BACKENDS.get(sys.platform, cv2.CAP_ANY))
        if not capture.isOpened():
            raise LostError(f"{self.name} cannot be opened; does another program use it?")
        # MJPG before size and rate: uncompressed 720p is limited to about 10 frames/s by USB 2.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, _WIDTH)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, _HEIGHT)
        capture.set(cv2.CAP_PROP_FPS, _RATE)
        return capture

    def _pictures(self, capture: cv2.VideoCapture) -> Iterator[Frame | Status]:
        newest: Pixels | None = None
        changed_at = 0.0
        while not self._stopped.is_set():
            ok, pixels = capture.read()
            now = time.monotonic()
            if not ok:
                raise LostError(f"{self.name} gives no pictures any more; is it unplugged?")
            if newest is None:
                yield self._status(State.LIVE, f"Watching {self.name} ({self._granted(capture)})")
            if newest is None or not np.array_equal(pixels[::16], newest[::16]):
                changed_at = now
            elif now - changed_at > _FROZEN:
                raise LostError(f"{self.name} repeats one picture; is it unplugged?")
            newest = np.asarray(pixels, np.uint8)
            if self._began is None:
                self._began = now
            yield self._frame(newest, now - self._began)

    def _granted(self, capture: cv2.VideoCapture) -> str:
        rate = capture.get(cv2.CAP_PROP_FPS)
        self.rate = rate if 0 < rate <= 1000 else None
        width, height = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        code = int(capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
        coding = code.to_bytes(4, "little").decode("latin1").strip("\0 ")
        return f"{width:.0f}x{height:.0f} {coding}, {rate:g} frames/s as it says"

    def _check_presence(self) -> None:
        """OpenCV takes its time and gives no reason; the device files of Linux tell at once."""
        if sys.platform != "linux":
            return
        device = Path(f"/dev/video{self._address}" if self._address.isdecimal() else self._address)
        if not device.exists():
            there = ", ".join(f"{camera.address} ({camera.name})" for camera in list_cameras()) or "none"
            raise LostError(f"{self.name} is not there; cameras found: {there}")
        if not os.access(device, os.R_OK | os.W_OK):
            raise LostError(
                f"{self.name} may not be used; add this user to the group 'video' and log in again"
            )
