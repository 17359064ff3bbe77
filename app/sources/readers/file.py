"""Reads a video file by PyAV: frame-exact by time, whatever the container and the coder did."""

from collections.abc import Iterator
from pathlib import Path

import av

from app.sources.child import Output
from app.sources.readers.video import MAX_AREA, Video, reason
from detector.errors import SourceError

# A playlist inside a file must not make FFmpeg fetch other addresses (viewer facts 2.7).
_OPTIONS = {"protocol_whitelist": "file", "max_pixels": str(MAX_AREA)}
_JUST_AFTER = 0.001  # seconds; see `video.HALF_MS`


def read(out: Output, *, path: str, start: float, before: bool, after: float | None = None) -> str:
    """Every picture from a seek on, or those that come after a time.

    start, before  see `Source.seek`
    after          seconds; what was shown before a crash need not be read again
    """
    file = Path(path)
    with open_video(file) as video:
        out.opened(seekable=video.seekable, duration=video.duration, rate=video.rate)
        seek = (start, before) if start > 0 or before else None
        resumed_after = after if seek is None else None
        if resumed_after is not None:
            seek = (resumed_after + _JUST_AFTER, False)
        shown = 0
        try:
            for seconds, picture in _pictures(video, seek, out):
                if resumed_after is not None and not shown and seconds <= resumed_after:
                    break  # the last one, since there is none after it
                video.put(picture, seconds, out)
                shown += 1
        except av.FFmpegError as error:
            if not shown:
                raise SourceError(f"{file.name}: cannot be read ({reason(error)})") from error
            return f"{file.name} breaks off here: {reason(error)}"
        if not shown and resumed_after is None:
            raise SourceError(f"{file.name}: no picture in it can be decoded; the file is damaged")
        lost = f" (damaged packets left out: {video.damaged})" if video.damaged else ""
        return f"End of {file.name}{lost}"


def open_video(path: Path) -> Video:
    """raises  SourceError"""
    name = path.name
    refuse_special(path)
    try:
        if path.is_file() and path.stat().st_size == 0:
            raise SourceError(f"{name}: the file is empty")
        return Video(f"file:{path}", name=name, options=_OPTIONS)
    except FileNotFoundError as error:
        raise SourceError(f"{path}: there is no such file; check the name") from error
    except PermissionError as error:
        raise SourceError(f"{path}: may not be read; check its permissions") from error
    except av.error.InvalidDataError as error:
        raise SourceError(f"{name}: is not a video, or too damaged to be read") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise SourceError(f"{name}: cannot be opened ({reason(error)})") from error


def refuse_special(path: Path) -> None:
    """raises  SourceError for a pipe or a device: reading one may wait for ever, and nothing can end that"""
    if path.exists() and not path.is_file():
        raise SourceError(f"{path}: is a pipe or a device; save what it gives as a file first")


def _pictures(
    video: Video, seek: tuple[float, bool] | None, out: Output
) -> Iterator[tuple[float, av.VideoFrame]]:
    """As `Video.frames_from`, through all seeks to the end."""
    while True:
        entries = video.frames() if seek is None else video.frames_from(seek[0], before=seek[1])
        for entry in entries:
            if entry is None:
                out.searching()
            else:
                yield entry
            if (seek := out.take_seek()) is not None:
                break
        else:
            return
