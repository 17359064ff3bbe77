"""Pictures: one, or a folder of them, with videos in between if need be."""

import logging
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path

from app.sources.file import VideoFile, refuse_special
from app.sources.source import Source, State, Status, frames
from app.sources.video import MAX_AREA, MAX_SIDE
from detector.errors import SourceError
from detector.pictures import read_header, read_picture
from detector.values import Frame, Pixels

logger = logging.getLogger(__name__)

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


class Pictures(Source):
    """A picture, or a folder of them, each shown for a second; videos among them play in their turn.

    A frame's `source` is the name of its file, as seen from the folder. A file that cannot be read is left
    out with a warning; when nothing is left, that is a failure.
    """

    def __init__(self, path: Path, *, start: float = 0.0) -> None:
        super().__init__(path.name or str(path))
        self._path = path
        self._next: int | None = math.ceil(start / PICTURE_SECONDS) if start > 0 else None

    def seek(self, seconds: float, *, before: bool = False) -> None:
        index = math.ceil(seconds / PICTURE_SECONDS - 1e-6)
        self._next = max(0, index - 1 if before else index)

    def _items(self) -> Iterator[Frame | Status]:
        yield self._status(State.CONNECTING, f"Opening {self.name}")
        files = files_in(self._path) if self._path.is_dir() else [self._path]
        self.seekable = all(map(is_picture, files))
        if self.seekable:
            self.rate, self.duration = 1 / PICTURE_SECONDS, len(files) * PICTURE_SECONDS
        yield self._status(State.LIVE, f"Playing {self.name}")
        index, begin, shown, lost = 0, 0.0, 0, 0
        while index < len(files):
            if self._stopped.is_set():
                return
            if self._next is not None:
                index, self._next = min(self._next, len(files) - 1), None
                begin = index * PICTURE_SECONDS
            file = files[index]
            index += 1
            following = begin + PICTURE_SECONDS
            try:
                for pixels, seconds, length in self._pictures_of(file):
                    yield self._frame(pixels, begin + seconds, self._shown_name(file))
                    shown += 1
                    following = begin + seconds + length
                    if self._stopped.is_set():
                        return
            except SourceError as error:
                if len(files) == 1:
                    raise
                logger.warning("left out: %s", error)
                lost += 1
            begin = following
        if not shown:
            raise SourceError(f"{self.name}: none of its {len(files)} files can be read")
        left_out = f" ({lost} of {len(files)} files could not be read)" if lost else ""
        yield self._status(State.ENDED, f"End of {self.name}{left_out}")

    def _pictures_of(self, file: Path) -> Iterator[tuple[Pixels, float, float]]:
        """(pixels, seconds from the file's beginning, seconds it is shown)"""
        if is_picture(file):
            yield _picture(file), 0.0, PICTURE_SECONDS
            return
        video = VideoFile(file)
        for frame in frames(video):
            yield frame.pixels, frame.pts, 1 / video.rate if video.rate else 0.04

    def _shown_name(self, file: Path) -> str:
        return file.name if file == self._path else file.relative_to(self._path).as_posix()


def _picture(path: Path) -> Pixels:
    """raises  SourceError when it cannot be read, or is too large to be shown"""
    if not path.exists():
        raise SourceError(f"{path}: there is no such file; check the name")
    refuse_special(path)
    height, width = read_header(path).upright_size
    if max(height, width) > MAX_SIDE or height * width > MAX_AREA:
        raise SourceError(f"{path.name}: a picture of {width}x{height} is too large to be shown")
    return read_picture(path)


def _natural(path: Path) -> tuple[tuple[tuple[int, int, str], ...], ...]:
    """A sort key: numbers by their value, letters without case, folders together."""

    def key(name: str) -> tuple[tuple[int, int, str], ...]:
        pieces = re.findall(r"[0-9]+|[^0-9]+", name)
        return tuple(
            (0, int(piece), "") if piece.isdecimal() else (1, 0, piece.casefold()) for piece in pieces
        )

    return tuple(map(key, path.parts))
