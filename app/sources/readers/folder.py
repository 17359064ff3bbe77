"""Reads pictures: one, or a folder of them, with videos in between if need be."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from app.sources.child import Output
from app.sources.folder import PICTURE_SECONDS, files_in, is_picture
from app.sources.readers.file import open_video, refuse_special
from app.sources.readers.video import MAX_AREA, MAX_SIDE
from detector.errors import SourceError
from detector.pictures import read_header, read_picture
from detector.values import Pixels


def read(
    out: Output,
    *,
    path: str,
    start: float,
    before: bool,
    after: float | None = None,
    place: dict[str, Any] | None = None,
) -> str:
    """As for a file; `place` is where to go on, and whether to leave that file out."""
    reading = _Reading(out, Path(path))
    if place is not None:
        reading.go_on(after, **place)
    if start > 0 or before:
        reading.go_to(start, before)
    return reading.read()


@dataclass
class _Reading:
    out: Output
    path: Path
    index: int = 0  # of the file to be read next
    begin: float = 0.0  # seconds, when it is shown
    after: float | None = None  # pictures until then were shown before a crash
    shown: int = 0
    lost: int = 0

    def __post_init__(self) -> None:
        self.files = files_in(self.path) if self.path.is_dir() else [self.path]
        self.seekable = all(map(is_picture, self.files))

    def go_on(
        self, after: float | None, *, index: int, begin: float, shown: int, lost: int, skip: bool
    ) -> None:
        self.index, self.begin, self.after, self.shown, self.lost = index, begin, after, shown, lost
        if skip and len(self.files) > 1:
            self._leave_out(f"{self._name(self.files[index])}: the decoder crashed on it")
            self.index += 1

    def go_to(self, seconds: float, before: bool) -> None:
        index = math.ceil(seconds / PICTURE_SECONDS - 1e-6)
        self.index = min(max(0, index - 1 if before else index), len(self.files) - 1)
        self.begin, self.after = self.index * PICTURE_SECONDS, None

    def read(self) -> str:
        if self.seekable:
            length = len(self.files) * PICTURE_SECONDS
            self.out.opened(seekable=True, rate=1 / PICTURE_SECONDS, duration=length)
        else:
            self.out.opened()
        while self.index < len(self.files) or self._has_more():
            self._read_file(self.files[self.index])
        if not self.shown:
            raise SourceError(f"{self.path.name}: none of its {len(self.files)} files can be read")
        count = f"{self.lost} of {len(self.files)} files could not be read"
        return f"End of {self.path.name or self.path}" + (f" ({count})" if self.lost else "")

    def _read_file(self, file: Path) -> None:
        following = self.begin + PICTURE_SECONDS
        marks = {"index": self.index, "begin": self.begin, "shown": self.shown, "lost": self.lost}
        self.out.place(self._name(file), **marks)
        self.index += 1
        try:
            if is_picture(file):
                pixels = _picture(file)
                self._put(pixels, self.begin)
            else:
                following = self._play(file)
        except SourceError as error:
            if len(self.files) == 1:
                raise
            self._leave_out(str(error))
        if (seek := self.out.take_seek()) is not None and self.seekable:
            self.go_to(*seek)
        else:
            self.begin = following

    def _put(self, pixels: Pixels, pts: float) -> None:
        if self.after is None or pts > self.after:
            self.out.copy(pts, pixels)
            self.after = None
        self.shown += 1

    def _play(self, file: Path) -> float:
        """Returns when what comes after this video is due."""
        with open_video(file) as video:
            step = 1 / video.rate if video.rate else 0.04
            shown, following = self.shown, self.begin
            try:
                for seconds, picture in video.frames():
                    pts = self.begin + seconds
                    if self.after is None or pts > self.after:
                        video.put(picture, pts, self.out)
                        self.after = None
                    self.shown += 1
                    following = pts + step
            except av.FFmpegError:
                if shown == self.shown:
                    raise SourceError(f"{file.name}: cannot be read") from None
                self.out.note(f"{file.name} breaks off before its end")
            if shown == self.shown:
                raise SourceError(f"{file.name}: no picture in it can be decoded; the file is damaged")
        return following

    def _has_more(self) -> bool:
        """Whether files came into the folder meanwhile: they follow those that were there."""
        if not self.path.is_dir():
            return False
        known = set(self.files)
        try:
            came = [file for file in files_in(self.path) if file not in known]
        except SourceError:  # they have all gone
            return False
        self.files += came
        return bool(came)

    def _leave_out(self, sentence: str) -> None:
        self.out.note(f"left out: {sentence}")
        self.lost += 1

    def _name(self, file: Path) -> str:
        return file.name if file == self.path else file.relative_to(self.path).as_posix()


def _picture(path: Path) -> Pixels:
    """raises  SourceError when it cannot be read, or is too large to be shown"""
    if not path.exists():
        raise SourceError(f"{path}: there is no such file; check the name")
    refuse_special(path)
    height, width = read_header(path).upright_size
    if max(height, width) > MAX_SIDE or height * width > MAX_AREA:
        raise SourceError(f"{path.name}: a picture of {width}x{height} is too large to be shown")
    return read_picture(path)
