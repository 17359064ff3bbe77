"""Where pictures come from: cameras, files, folders and network streams, all behind one kind of object."""

import contextlib
import math
import re
from pathlib import Path
from urllib.parse import urlsplit

from app.sources.camera import Camera
from app.sources.cameras import FoundCamera, Mode, list_cameras
from app.sources.decoder import warm_up
from app.sources.file import VideoFile
from app.sources.folder import Pictures, files_in, is_picture
from app.sources.moving_picture import DEMO, demonstration
from app.sources.packets import Packet, PacketListener, StreamFormat
from app.sources.source import Source, State, Status, attempt, frames
from app.sources.stream import Stream
from detector.errors import OptionError, SourceError

__all__ = [
    "CAPTURES",
    "DEMO",
    "FoundCamera",
    "Mode",
    "Packet",
    "PacketListener",
    "Source",
    "State",
    "Status",
    "StreamFormat",
    "attempt",
    "check_capture",
    "files_in",
    "frames",
    "list_cameras",
    "open_source",
    "path_of",
    "warm_up",
]

CAPTURES = ("auto", "opencv")
_CAMERA = re.compile(r"\d+\Z|/dev/video|/dev/v4l/")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # two letters and more: "C:" is a disk


def open_source(
    address: str, *, start: float = 0.0, capture: str = "auto", keep_log_in: bool = False
) -> Source:
    """The source at an address: a file, a folder, a camera's number or device, or a network address.

    start        seconds from the beginning; for files and folders
    capture      one of CAPTURES; "opencv" reads files and streams by OpenCV, as cameras in any case
    keep_log_in  whether the name and password of a stream are to be kept, once they have worked
    raises       SourceError for a file in a folder that may not be looked into, or with a name that cannot
                 be; OptionError for an empty address, and for a start that cannot be
    Nothing is opened before the source is iterated, so nothing else can fail here.
    """
    if not address:
        raise OptionError("An empty source cannot be opened; name a file, a folder, a camera or an address.")
    if not 0 <= start < math.inf:
        raise OptionError(f"A start of {start:g} s cannot be; give 0 or more.")
    check_capture(capture)
    reader = "app.sources.readers.opencv" if capture == "opencv" else None
    address, path = _unwrapped(address), path_of(address)
    if address == DEMO:
        return demonstration()
    if path is None:
        is_camera = bool(_CAMERA.match(address))
        source: Source = (
            Camera(address) if is_camera else Stream(address, reader=reader, keep_log_in=keep_log_in)
        )
        if start:
            raise OptionError(f"{source.name} is live and has no beginning to start from; leave --start out.")
        return source
    if _is_folder(path) or is_picture(path):
        return Pictures(path, start=start)
    return VideoFile(path, start=start, reader=reader)


def check_capture(capture: str) -> None:
    """raises  OptionError when it is none of CAPTURES"""
    if capture not in CAPTURES:
        raise OptionError(f"--capture cannot be '{capture}'; give one of {', '.join(CAPTURES)}.")


def path_of(address: str) -> Path | None:
    """The file or folder an address means, there or not; None for cameras and network addresses."""
    address = _unwrapped(address)
    if _CAMERA.match(address) or _ADDRESS.match(address):
        return None
    path = Path(address)
    with contextlib.suppress(RuntimeError):  # "~nobody" is the name of a file then
        path = path.expanduser()
    return path


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise SourceError(f"{path}: cannot be looked for ({reason}); check its name and rights") from error


def _unwrapped(address: str) -> str:
    """Without the "file://" that desktops put before a path."""
    if not address.startswith("file://"):
        return address
    from urllib.request import url2pathname  # here: 0.1 s, seldom needed

    return url2pathname(urlsplit(address).path)
