"""Where pictures come from: cameras, files, folders and network streams, all behind one kind of object."""

from pathlib import Path

from app.sources.file import VideoFile
from app.sources.source import Source, State, Status, frames

__all__ = ["Source", "State", "Status", "frames", "open_source"]


def open_source(address: str, *, start: float = 0.0) -> Source:
    """The source at an address: a file's path, a folder, a camera's number or a network address.

    start  seconds from the beginning, for files
    Nothing is opened before the source is iterated.
    """
    return VideoFile(Path(address).expanduser(), start=start)
