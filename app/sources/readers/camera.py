"""Reads a camera at this computer by OpenCV."""

import sys
import time

import cv2
import numpy as np

from app.sources.cameras import why_not_there
from app.sources.child import Output
from app.sources.source import LostError
from detector.values import Pixels

_BACKENDS = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}
_HEIGHT, _WIDTH, _RATE = 720, 1280, 30.0  # what a camera is asked for; it grants what it can
_FROZEN = 2.0  # seconds of one and the same picture: real sensors have noise, so the camera is gone


def read(out: Output, *, address: str, name: str) -> str:
    if (reason := why_not_there(address)) is not None:
        raise LostError(f"{name} {reason}")
    device = int(address) if address.isdecimal() else address
    capture = cv2.VideoCapture(device, _BACKENDS.get(sys.platform, cv2.CAP_ANY))
    if not capture.isOpened():
        raise LostError(f"{name} cannot be opened; does another program use it?")
    ask_for_mode(capture)
    return watch(out, capture, name)


def ask_for_mode(capture: cv2.VideoCapture) -> None:
    # MJPG before size and rate: uncompressed 720p is limited to about 10 frames/s by USB 2.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, _WIDTH)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, _HEIGHT)
    capture.set(cv2.CAP_PROP_FPS, _RATE)


def watch(out: Output, capture: cv2.VideoCapture, name: str) -> str:
    """Every picture of an opened camera, until it is lost."""
    newest: Pixels | None = None
    began = changed_at = time.monotonic()
    while True:
        ok, pixels = capture.read()
        now = time.monotonic()
        if not ok:
            raise LostError(f"{name} gives no pictures any more; is it unplugged?")
        if newest is None:
            rate = capture.get(cv2.CAP_PROP_FPS)
            out.opened(live=True, rate=rate if 0 < rate <= 1000 else None, words=_granted(capture))
            began = now
        if newest is None or not np.array_equal(pixels, newest):
            changed_at = now
        elif now - changed_at > _FROZEN:
            raise LostError(f"{name} repeats one picture; is it unplugged?")
        newest = np.asarray(pixels, np.uint8)
        out.copy(now - began, newest)


def _granted(capture: cv2.VideoCapture) -> str:
    width, height = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    code = int(capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
    coding = code.to_bytes(4, "little").decode("latin1").strip("\0 ")
    return f"{width:.0f}x{height:.0f} {coding}, {capture.get(cv2.CAP_PROP_FPS):g} frames/s as it says"
