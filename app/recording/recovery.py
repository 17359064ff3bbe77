"""What interrupted recordings have left, made into the files they were to become."""

import logging
import os
from array import array
from pathlib import Path

import av
from av.error import FFmpegError

from app.recording.clip import RecordingResult, part_path
from app.recording.disk import DiskLimits
from app.recording.encoder import TICKS
from app.recording.finishing import check_room, finish
from app.recording.part_file import claim, reason
from app.recording.sidecar import sidecar_path
from detector.errors import RecordingError

logger = logging.getLogger(__name__)

_PART = part_path(Path("x")).name.removeprefix("x")
_USUAL = DiskLimits()


def left_overs(folder: Path) -> list[Path]:
    """Part files in a folder and those in it that no recording writes any more, the oldest first."""
    try:
        parts = list(folder.rglob(f"*{_PART}"))
    except OSError as error:
        logger.warning("%s cannot be looked through: %s", folder, error.strerror)
        return []
    changed = {part: _changed_if_free(part) for part in parts}
    return [part for _, part in sorted((when, part) for part, when in changed.items() if when is not None)]


def recover(part: Path, limits: DiskLimits = _USUAL) -> RecordingResult:
    """Makes OUT.mp4 of OUT.part.mkv, or OUT-2.mp4 where there is one; times are exact to a thousandth.

    limits   as for a recording: where it would have to end, nothing is finished
    returns  what the file holds; 0 frames when there was nothing in the part file, which is gone then
    raises   RecordingError when it cannot be; the part file stays
    """
    try:
        with part.open("r+b") as file:
            if not claim(file.fileno()):
                raise RecordingError(f"{part} is being written by another recording.")
            ticks = _ticks(part)
            if not os.path.samestat(
                os.fstat(file.fileno()), part.stat()
            ):  # what is claimed lies there no more
                raise RecordingError(f"{part} has just been begun by another recording.")
            if ticks:
                check_room(part, part.stat().st_size, limits)
                return finish(part, _free_name(part), ticks, rate=None)
            if part.stat().st_size > 100_000:  # more than headers: somebody may be able to read it
                raise RecordingError(f"{part} cannot be read; it is left as it is.")
            part.unlink()
            return RecordingResult(_free_name(part), 0, 0.0)
    except OSError as error:
        raise RecordingError(f"{part} cannot be finished ({reason(error)}); it is left as it is.") from error


def _changed_if_free(part: Path) -> float | None:
    """When a part file was last written to; None for one that is being written, or that is none."""
    try:
        if not part.is_file() or part.is_symlink():
            return None
        with part.open("r+b") as file:
            return part.stat().st_mtime if claim(file.fileno()) else None
    except FileNotFoundError:  # its recording has just been finished
        return None
    except OSError as error:
        logger.warning("%s cannot be looked at: %s", part, error.strerror)
        return None


def _ticks(part: Path) -> "array[int]":
    """When each packet that is whole is shown."""
    ticks = array("q")
    try:
        with av.open(part) as container:
            base = container.streams.video[0].time_base
            for packet in container.demux(video=0):
                if packet.size and packet.pts is not None and base is not None and not packet.is_corrupt:
                    ticks.append(round(packet.pts * base * TICKS))
    except (OSError, FFmpegError, IndexError):  # its end is cut off, or its beginning was never written
        pass
    first = min(ticks, default=0)
    return array("q", (each - first for each in ticks))


def _free_name(part: Path) -> Path:
    stem = part.name.removesuffix(_PART)
    target, number = part.with_name(f"{stem}.mp4"), 2
    while target.exists():
        target, number = part.with_name(f"{stem}-{number}.mp4"), number + 1
    sidecar = sidecar_path(part.with_name(f"{stem}.mp4"))
    if number > 2 and sidecar.exists() and not sidecar_path(target).exists():
        sidecar.rename(sidecar_path(target))  # of the recording that is finished now, not of the older one
    return target
