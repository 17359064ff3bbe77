"""Where pictures come from: cameras, files, folders and network streams, all behind one kind of object."""

import contextlib
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from app.sources.camera import Camera, FoundCamera, list_cameras
from app.sources.file import VideoFile
from app.sources.folder import Pictures, files_in, is_picture
from app.sources.source import Source, State, Status, attempt, frames
from app.sources.stream import Stream
from detector.errors import OptionError

__all__ = [
    "FoundCamera",
    "Source",
    "State",
    "Status",
    "attempt",
    "files_in",
    "frames",
    "list_cameras",
    "open_source",
]

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # two letters and more: "C:" is a disk


def open_source(address: str, *, start: float = 0.0) -> Source:
    """The source at an address: a file, a folder, a camera's number or device, or a network address.

    start   seconds from the beginning; for files and folders
    raises  OptionError for a start that is negative, or of something that has no beginning
    Nothing is opened before the source is iterated, so nothing else can fail here.
    """
    if start < 0:
        raise OptionError(f"A start of {start:g} s lies before the beginning; give 0 or more.")
    if address.startswith("file://"):
        address = unquote(urlsplit(address).path)
    is_camera = address.isdecimal() or address.startswith(("/dev/video", "/dev/v4l/"))
    if is_camera or _ADDRESS.match(address):
        source: Source = Camera(address) if is_camera else Stream(address)
        if start:
            raise OptionError(f"{source.name} is live and has no beginning to start from; leave --start out.")
        return source
    path = Path(address)
    with contextlib.suppress(RuntimeError):  # "~nobody" is the name of a file then
        path = path.expanduser()
    if path.is_dir() or is_picture(path):
        return Pictures(path, start=start)
    return VideoFile(path, start=start)
