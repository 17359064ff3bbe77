"""Reads anything by OpenCV alone (`--capture opencv`): for a source that PyAV cannot read, or to compare.

It hides reasons and packets, knows times less exactly, and seeks wrongly where the rate varies (viewer facts
2.6); the program asks for it only when told to.
"""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from app.sources.child import Output
from app.sources.readers.stream import open_stream, wait_for_host
from app.sources.source import LostError
from detector.errors import SourceError

_OPEN_MS, _READ_MS = 5000, 60000
_HALF_MS = 0.5
_LONGEST = 366 * 86400.0  # seconds


def read(out: Output, **arguments: Any) -> str:
    """Either of a file (path, start, before, after) or of an address (url, bare, name, open_limit)."""
    if "url" in arguments:
        return _read_stream(out, **arguments)
    path = Path(arguments["path"])
    after = arguments.get("after")
    start = arguments["start"] or (after + 0.001 if after is not None else 0.0)
    return _read_file(out, path, start, arguments["before"])


def _read_stream(out: Output, *, url: str, bare: str, name: str, open_limit: float) -> str:
    wait_for_host(bare, name)
    # All in one: with any of these set, FFmpeg asks for UDP unless told otherwise (viewer facts 2.1).
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "rtsp_transport;tcp|timeout;5000000|fpsprobesize;0"
    parameters = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_MS]
    parameters += [cv2.CAP_PROP_N_THREADS, 1]  # each more delays live pictures by one (viewer facts 2.4)
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, parameters)
    if not capture.isOpened():
        with open_stream(
            url, bare, name, open_limit
        ):  # OpenCV does not say why: a wrong password must be known
            raise LostError(f"{name}: OpenCV cannot read it; leave --capture out")
    out.opened(live=True, rate=_rate(capture))
    while True:
        ok, pixels = capture.read()
        if not ok:
            raise LostError(f"{name}: the connection broke")
        out.copy(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, np.asarray(pixels, np.uint8))


def _read_file(out: Output, path: Path, start: float, before: bool) -> str:
    if not path.is_file():
        raise SourceError(f"{path}: there is no such file; check the name")
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise SourceError(f"{path.name}: cannot be opened; OpenCV does not say why")
    rate = _rate(capture)
    length = capture.get(cv2.CAP_PROP_FRAME_COUNT) / rate if rate else 0.0
    out.opened(seekable=True, duration=length if 0 < length < _LONGEST else None, rate=rate)
    step = 1 / rate if rate else 0.04
    seek: tuple[float, bool] | None = (start, before) if start > 0 else None
    count = 0
    while True:
        if seek is not None:
            capture.set(cv2.CAP_PROP_POS_MSEC, max(0.0, seek[0] - step * seek[1]) * 1000 + _HALF_MS)
        ok, pixels = capture.read()
        if not ok:
            break
        out.copy(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, np.asarray(pixels, np.uint8))
        count += 1
        seek = out.take_seek()
    if not count and not start:
        raise SourceError(f"{path.name}: no picture in it can be decoded; the file is damaged")
    return f"End of {path.name}"


def _rate(capture: cv2.VideoCapture) -> float | None:
    rate = capture.get(cv2.CAP_PROP_FPS)
    return rate if 0 < rate <= 1000 else None
