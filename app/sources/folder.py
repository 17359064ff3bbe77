"""Pictures: one, or a folder of them, with videos in between if need be."""

import os
import re
from pathlib import Path

from app.sources.recorded import Recorded
from detector.errors import SourceError

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
VIDEO_SUFFIXES = (
    ".mp4", ".m4v", ".mkv", ".mov", ".avi", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv",
    ".ogv", ".3gp", ".mjpeg", ".mjpg", ".h264", ".264", ".hevc", ".h265",
)  # fmt: skip
PICTURE_SECONDS = 1.0  # how long a picture is shown


def files_in(folder: Path) -> list[Path]:
    """The pictures and videos in a folder and those below it, "2.jpg" before "10.jpg".

    raises  SourceError when there are none, or the folder may not be read
    """
    from imutils import paths  # late: it loads an HTTP client, a third of the window's start

    kinds = PICTURE_SUFFIXES + VIDEO_SUFFIXES
    found = [Path(name) for name in paths.list_files(str(folder), validExts=kinds)]
    visible = [path for path in found if not path.name.startswith(".")]
    if not os.access(folder, os.R_OK | os.X_OK):  # the listing leaves out what it may not read
        raise SourceError(f"{folder}: may not be read; check its permissions")
    if not visible:
        raise SourceError(f"{folder}: holds no pictures and no videos")
    return sorted(visible, key=_natural)


def is_picture(path: Path) -> bool:
    """Whether a file calls itself a picture."""
    return path.suffix.lower() in PICTURE_SUFFIXES


class Pictures(Recorded):
    """A picture, or a folder of them, each shown for a second; videos among them play in their turn.

    A frame's `source` is the name of its file, as seen from the folder. A file that cannot be read is left
    out with a warning; when nothing is left, that is a failure. Files that come while it plays follow.
    """

    reader = "app.sources.readers.folder"


def _natural(path: Path) -> tuple[tuple[tuple[int, int, str], ...], ...]:
    """A sort key: numbers by their value, letters without case, folders together."""

    def key(name: str) -> tuple[tuple[int, int, str], ...]:
        pieces = re.findall(r"[0-9]+|[^0-9]+", name)
        return tuple(
            (0, int(piece), "") if piece.isdecimal() else (1, 0, piece.casefold()) for piece in pieces
        )

    return tuple(map(key, path.parts))
