"""Video being written: a part file that plays whatever happens, and at the end the file asked for."""

import contextlib
import os
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from app.recording.encoder import TICKS, Encoder
from app.recording.finishing import finish
from app.recording.part_file import PartFile, check_left_over, create_private, reason, refuse_existing
from detector.errors import RecordingError
from detector.values import Pixels

SUFFIXES = (".mp4", ".m4v")  # of a recording
_SMALLEST_STEP = TICKS // 1000  # Matroska counts milliseconds


@dataclass(frozen=True, slots=True)
class RecordingResult:
    """A finished recording, re-opened and counted. Without frames there is no file."""

    path: Path
    frames: int
    seconds: float


def check_target(path: Path, *, force: bool) -> None:
    """Tells early, before a model is loaded, whether a recording can be written here. Changes nothing.

    raises  RecordingError: the name is no MP4, the folder is missing or not writable, or a file is there
    """
    if path.suffix.lower() not in SUFFIXES:
        raise RecordingError(
            f"Recordings are MP4 files: name it {path.with_suffix('.mp4').name}, not {path.name}."
        )
    if path.is_dir():
        raise RecordingError(f"{path} is a folder; give the recording a file name.")
    refuse_existing(path, force=force)
    part = part_path(path)
    if part.exists():
        check_left_over(part, force=force)
    else:
        os.close(create_private(part))
        part.unlink()


def part_path(path: Path) -> Path:
    """What is being written lies beside the target: OUT.mp4 is OUT.part.mkv until it is finished."""
    return path.with_suffix(".part.mkv")


class Recorder:
    """Writes frames of one size to an H.264 MP4 at their true times.

    Until `close` the recording is OUT.part.mkv, which plays up to the last second even after kill -9 or on a
    full disk; `close` makes OUT.mp4 of it without encoding again. Used by one thread at a time.

    path           OUT.mp4
    width, height  pixels; a side that is odd grows by one (see Encoder)
    rate           frames a second, where the source knows it; the times decide, this guides the encoder
    force          replace OUT.mp4, at the end, and a part file that nobody writes any more
    raises         RecordingError, from `write` and `close` too; its sentence names the part that plays
    """

    def __init__(
        self, path: Path | str, width: int, height: int, rate: float | None = None, *, force: bool = False
    ) -> None:
        self.path = Path(path)
        self._force = force
        self._rate = rate
        check_target(self.path, force=force)
        self._part = PartFile(part_path(self.path), force=force)
        # A cluster lies in memory until it is complete, so it ends after 0.2 s; and no buffer beyond that.
        options = {"cluster_time_limit": "200", "flush_packets": "1"}
        self._container = av.open(self._part, "w", format="matroska", options=options)
        self._encoder = Encoder(self._container, width, height, rate)
        self._first_pts = 0.0
        self._ticks = array("q")  # the time of each frame, exactly: the part file rounds to milliseconds
        self._part_closed = False
        self._result: RecordingResult | None = None

    @property
    def frames(self) -> int:
        """How many were given to `write`."""
        return len(self._ticks)

    def write(self, pixels: Pixels, pts: float) -> None:
        """Appends one frame.

        pixels  (height, width, 3) uint8 BGR; a frame of another size is scaled to fit
        pts     seconds; the first frame is the start. One that does not rise is moved by a millisecond
        """
        if self._part.failure:
            raise self._failed()
        if not self._ticks:
            self._first_pts = pts
        ticks = round((pts - self._first_pts) * TICKS)
        if self._ticks:
            ticks = max(ticks, self._ticks[-1] + _SMALLEST_STEP)
        self._mux(lambda: self._encoder.encode(pixels, ticks))
        self._ticks.append(ticks)

    def close(self) -> RecordingResult:
        """Finishes the file, verifies it, and says what it holds.

        A second call says the same again; after a failure it tries to finish the part file once more.
        """
        if self._result is None:
            self._close_part()
            last_step = self._last_step()
            if self._ticks:
                finish(self._part.path, self.path, self._ticks, last_step, force=self._force)
            else:
                self._part.path.unlink(missing_ok=True)
            seconds = (self._ticks[-1] + last_step) / TICKS if self._ticks else 0.0
            self._result = RecordingResult(self.path, len(self._ticks), seconds)
        return self._result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except RecordingError:
            if not isinstance(error, RecordingError):  # the first reason counts
                raise

    def _mux(self, encode: "Callable[[], list[Packet[VideoStream]]]") -> None:
        try:
            for packet in encode():
                self._container.mux(packet)
        except (OSError, FFmpegError) as error:
            self._part.failure = self._part.failure or OSError(str(error))
            raise self._failed() from error

    def _close_part(self) -> None:
        if self._part_closed:
            if self._part.failure:
                raise self._failed()
            return
        self._part_closed = True
        try:
            if not self._part.failure:
                self._mux(self._encoder.flush)
        finally:
            with contextlib.suppress(OSError, FFmpegError):  # the part file remembers the reason
                self._container.close()
            self._part.close()
        if self._part.failure:
            if not self._ticks:
                self._part.path.unlink(missing_ok=True)
            raise self._failed()

    def _last_step(self) -> int:
        """How long the last frame is shown; no later frame tells."""
        if self._rate:
            return round(TICKS / self._rate)
        return self._ticks[-1] - self._ticks[-2] if len(self._ticks) > 1 else TICKS // 25

    def _failed(self) -> RecordingError:
        assert self._part.failure is not None
        words = f"Writing {self._part.path} failed ({reason(self._part.failure)})"
        if not self._ticks:
            return RecordingError(f"{words} before the first frame; make room or choose another folder.")
        count = len(self._ticks)
        return RecordingError(
            f"{words} after {count} frames; what is there plays. Make room or choose another folder."
        )
