"""From the part file of a recording to the file asked for: nothing is encoded again, all is counted."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

import av
from av.error import FFmpegError

from app.recording.encoder import TICKS, TIME_BASE
from app.recording.part_file import create_private, reason
from detector.errors import RecordingError


def finish(part: Path, target: Path, ticks: Sequence[int], last_step: int, *, force: bool) -> None:
    """Makes a fast-start MP4 of a part file, re-opens and counts it, puts it in place, removes the part file.

    ticks      the time of each frame, 1/90000 s
    last_step  how long the last one is shown, 1/90000 s
    force      replace `target`
    raises     RecordingError that names the part file, which then stays
    """
    made = target.with_suffix(".part.mp4")
    try:
        made.unlink(missing_ok=True)  # can only be what an interrupted call of this function left
        os.close(create_private(made))  # FFmpeg keeps the mode of a file that is there
        _remux(part, made, ticks, last_step)
        _verify(made, len(ticks), ticks[-1] + last_step)
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


def _remux(part: Path, made: Path, ticks: Sequence[int], last_step: int) -> None:
    options = {"movflags": "+faststart", "video_track_timescale": str(TICKS)}
    with av.open(part) as source, av.open(made, "w", format="mp4", options=options) as sink:
        stream = sink.add_stream_from_template(source.streams.video[0])
        packets = (packet for packet in source.demux(video=0) if packet.size)
        ends = (*ticks[1:], ticks[-1] + last_step)
        for packet, start, end in zip(packets, ticks, ends):
            packet.stream, packet.time_base = stream, TIME_BASE
            packet.pts = packet.dts = start  # no B-frames: the order written is the order shown
            packet.duration = end - start
            sink.mux(packet)


def _verify(made: Path, frames: int, ticks: int) -> None:
    """raises  OSError when the file does not hold that many frames over that time, or is not on the disk"""
    with av.open(made) as container:
        stream = container.streams.video[0]
        counted = sum(1 for packet in container.demux(stream) if packet.size)
        seconds = float((stream.duration or 0) * (stream.time_base or 0))
    if counted != frames:
        raise OSError(f"it holds {counted} of {frames} frames")
    if abs(seconds - ticks / TICKS) > 0.01:
        raise OSError(f"it lasts {seconds:.2f} s instead of {ticks / TICKS:.2f} s")
    with made.open("rb+") as file:
        os.fsync(file.fileno())  # before the part file goes
