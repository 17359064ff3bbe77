"""A video file."""

from collections.abc import Iterator
from pathlib import Path

import av

from app.sources.source import Source, State, Status
from app.sources.video import MAX_AREA, Video, reason
from detector.errors import SourceError
from detector.values import Frame

# A playlist inside a file must not make FFmpeg fetch other addresses (viewer facts 2.7).
_OPTIONS = {"protocol_whitelist": "file", "max_pixels": str(MAX_AREA)}


class VideoFile(Source):
    """Every frame of a file once, in order, as fast as it is asked for."""

    seekable = True

    def __init__(self, path: Path, *, start: float = 0.0) -> None:
        super().__init__(path.name)
        self._path = path
        self._target: tuple[float, bool] | None = (start, False) if start > 0 else None

    def seek(self, seconds: float, *, before: bool = False) -> None:
        self._target = (max(0.0, seconds), before)

    def _items(self) -> Iterator[Frame | Status]:
        yield self._status(State.CONNECTING, f"Opening {self.name}")
        with self._open() as video:
            self.duration, self.rate, self.seekable = video.duration, video.rate, video.seekable
            yield self._status(State.LIVE, f"Playing {self.name}")
            shown, seeking = 0, False
            try:
                for entry in self._entries(video):
                    if (entry is None) != seeking:
                        seeking = not seeking
                        yield self._status(
                            State.LIVE, f"{'Seeking in' if seeking else 'Playing'} {self.name}"
                        )
                    if entry is not None:
                        yield self._frame(video.pixels(entry[1]), entry[0])
                        shown += 1
                    if self._stopped.is_set():
                        return
            except av.FFmpegError as error:
                if not shown:
                    raise SourceError(f"{self.name}: cannot be read ({reason(error)})") from error
                yield self._status(State.ENDED, f"{self.name} breaks off here: {reason(error)}")
                return
        if not shown:
            raise SourceError(f"{self.name}: no picture in it can be decoded; the file is damaged")
        lost = f" (damaged packets left out: {video.damaged})" if video.damaged else ""
        yield self._status(State.ENDED, f"End of {self.name}{lost}")

    def _entries(self, video: Video) -> Iterator[tuple[float, av.VideoFrame] | None]:
        """As `Video.frames_from`, through all seeks to the end."""
        while True:
            for entry in self._from_target(video):
                yield entry
                if self._target is not None:
                    break
            else:
                return

    def _from_target(self, video: Video) -> Iterator[tuple[float, av.VideoFrame] | None]:
        target, self._target = self._target, None
        return video.frames() if target is None else video.frames_from(target[0], before=target[1])

    def _open(self) -> Video:
        name = self.name
        refuse_special(self._path)
        try:
            if self._path.is_file() and self._path.stat().st_size == 0:
                raise SourceError(f"{name}: the file is empty")
            return Video(f"file:{self._path}", name=name, options=_OPTIONS, decoding_threads=True)
        except FileNotFoundError as error:
            raise SourceError(f"{self._path}: there is no such file; check the name") from error
        except PermissionError as error:
            raise SourceError(f"{self._path}: may not be read; check its permissions") from error
        except av.error.InvalidDataError as error:
            raise SourceError(f"{name}: is not a video, or too damaged to be read") from error
        except (av.FFmpegError, OSError, ValueError) as error:
            raise SourceError(f"{name}: cannot be opened ({reason(error)})") from error


def refuse_special(path: Path) -> None:
    """raises  SourceError for a pipe or a device: reading one may wait for ever, and nothing can end that"""
    if path.exists() and not path.is_file():
        raise SourceError(f"{path}: is a pipe or a device; save what it gives as a file first")
