"""From the part file of a recording to the file asked for: nothing is encoded again, all is counted."""

import contextlib
import os
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import av
from av.error import FFmpegError

from app.recording.clip import RecordingResult
from app.recording.disk import DiskLimits, free_bytes
from app.recording.encoder import TICKS, TIME_BASE
from app.recording.part_file import create_private, reason
from detector.errors import RecordingError


def finish(
    part: Path, target: Path, ticks: Sequence[int], *, rate: float | None, force: bool = False
) -> RecordingResult:
    """Makes a fast-start MP4 of a part file, re-opens and counts it, puts it in place, removes the part file.

    ticks   when each packet is shown, 1/90000 s, at least one; they may be few of those in the part file
    rate    frames/s as declared: how long the last one is shown; None: as long as the one before
    force   replace `target`
    raises  RecordingError that names the part file, which then stays
    """
    made = target.with_suffix(".part.mp4")
    decoded = decoding_order(ticks)
    last = _last_step(ticks, rate)
    lasting = [after - before for before, after in pairwise((*decoded, decoded[-1] + last))]
    try:
        made.unlink(missing_ok=True)  # can only be what an interrupted call of this function left
        os.close(create_private(made))  # FFmpeg keeps the mode of a file that is there
        _remux(part, made, zip(ticks, decoded, lasting))
        _verify(made, ticks, last)
        if target.exists() and not force:
            raise OSError(f"{target.name} has appeared meanwhile")
        made.replace(target)
        part.unlink()
    except (OSError, FFmpegError) as error:
        with contextlib.suppress(OSError):
            made.unlink()
        raise RecordingError(
            f"{target} could not be finished ({reason(error)}); the recording is {part}, which plays."
        ) from error
    return RecordingResult(target, len(ticks), (max(ticks) + last) / TICKS)


def check_room(part: Path, size: int, limits: DiskLimits) -> None:
    """For a while there are two of it.

    size    bytes of the part file
    raises  RecordingError when the second would leave less free than the limit at which recordings end
    """
    free = free_bytes(part.parent)
    if free is not None and free - size < limits.stop:
        raise RecordingError(
            f"There is no room to finish {part}, which plays; "
            "it is finished at the next start with more room."
        )


def decoding_order(ticks: Sequence[int]) -> list[int]:
    """When each packet must be decoded: rising, as late as can be, never after it is shown.

    Where a camera's clock went back, two packets are shown at one time; MP4 wants them decoded one by one.
    """
    rising = sorted(ticks)
    for index in range(1, len(rising)):
        rising[index] = max(rising[index], rising[index - 1] + 1)
    lead = max(one - other for one, other in zip(rising, ticks))  # 0 without B-frames
    return [each - lead for each in rising]


def _last_step(ticks: Sequence[int], rate: float | None) -> int:
    """How long the last frame is shown; no later frame tells."""
    if rate:
        return round(TICKS / rate)
    last = sorted(ticks[-32:])
    return last[-1] - last[-2] if len(last) > 1 else TICKS // 25


def _remux(part: Path, made: Path, times: Iterable[tuple[int, int, int]]) -> None:
    """times  of each packet: shown at, decoded at, lasting; 1/90000 s"""
    options = {"movflags": "+faststart", "video_track_timescale": str(TICKS)}
    with av.open(part) as source, av.open(made, "w", format="mp4", options=options) as sink:
        sink.metadata.update(
            {key.lower(): value for key, value in source.metadata.items() if key.lower() != "encoder"}
        )
        stream = sink.add_stream_from_template(source.streams.video[0])
        packets = (packet for packet in source.demux(video=0) if packet.size)
        for packet, (shown, decoded, lasting) in zip(packets, times):
            packet.stream, packet.time_base = stream, TIME_BASE
            packet.pts, packet.dts, packet.duration = shown, decoded, lasting
            sink.mux(packet)


def _verify(made: Path, ticks: Sequence[int], last: int) -> None:
    """raises  OSError when the file does not hold these frames over that time, or is not on the disk"""
    with av.open(made) as container:
        stream = container.streams.video[0]
        base = stream.time_base or TIME_BASE
        shown = [packet.pts or 0 for packet in container.demux(stream) if packet.size]
        seconds = float((stream.duration or 0) * base)
    if len(shown) != len(ticks):
        raise OSError(f"it holds {len(shown)} of {len(ticks)} frames")
    reached, wanted = float(max(shown) * base), max(ticks) / TICKS
    if abs(reached - wanted) > 0.01:
        raise OSError(f"its last frame is at {reached:.2f} s instead of {wanted:.2f} s")
    whole = wanted + last / TICKS
    if abs(seconds - whole) > max(0.25, 0.02 * whole):  # with B-frames it is right to some frames
        raise OSError(f"it lasts {seconds:.2f} s instead of {whole:.2f} s")
    with made.open("rb+") as file:
        os.fsync(file.fileno())  # before the part file goes
