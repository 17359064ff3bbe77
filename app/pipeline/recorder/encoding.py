"""Frames that have to be encoded, on their way into a recording."""

import contextlib
import time
from collections import deque
from dataclasses import dataclass, replace

from av.error import FFmpegError

from app.overlay import draw
from app.recording.clip import CodingError
from app.recording.codecs import find_codec
from app.recording.encoder import TICKS, Encoder
from app.recording.part_file import reason
from app.recording.plan import Mode, RecordingPlan
from app.recording.recorder import SMALLEST_STEP
from app.recording.reel import Reel
from app.recording.sidecar import Note
from app.sources import Packet, Source
from detector.values import Detections, Frame, LabelMap

_CANNOT = (OSError, ValueError, FFmpegError)
_LITTLE = 1.0  # seconds; when time goes back further, it begins anew


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A frame on its way into a recording.

    shown    its boxes as chosen; labels names their classes
    note     what was found on it, all of it; None while nobody has looked
    cut      time does not run on from the frame before
    resized  its size is another one than that of the frame before
    """

    frame: Frame
    shown: Detections
    labels: LabelMap
    note: Note | None
    cut: bool
    resized: bool


class Encoding:
    """Frames into the reel, with their notes, by an encoder as large as they are. For one thread.

    raises  CodingError when a picture cannot be encoded; RecordingError
    """

    def __init__(self, reel: Reel, plan: RecordingPlan, source: Source) -> None:
        self._reel, self._plan, self._source = reel, plan, source
        self._clock = Clock(source)
        self._encoder: Encoder | None = None
        self._last = -SMALLEST_STEP
        self._notes: deque[Note | None] = deque()  # of frames whose packets have not come out
        self._eased = 0  # how often
        self._began, self._busy = time.monotonic(), 0.0  # seconds it has worked since then

    def write(self, shot: Shot) -> None:
        frame = shot.frame
        try:
            if self._encoder is None or shot.resized:
                self.end()
                codec = self._plan.codec
                self._encoder = Encoder(frame.height, frame.width, self._source.rate, codec=codec)
                self._reel.begin(find_codec(codec).coding)
            seconds = self._clock.seconds(frame.pts, cut=shot.cut)
            ticks = max(round(seconds * TICKS), self._last + SMALLEST_STEP)
            self._last = ticks
            began = time.monotonic()
            annotated = self._plan.mode is Mode.ANNOTATED
            pixels = draw(frame.pixels, shot.shown, shot.labels) if annotated else frame.pixels
            self._notes.append(shot.note and replace(shot.note, pts=ticks / TICKS))
            packets = self._encoder.encode(pixels, ticks)
            self._busy += time.monotonic() - began
            self._take(packets)
        except _CANNOT as error:
            raise self._failure(f"its pictures of {frame.width}x{frame.height}", error) from error

    def keep_up(self, waiting: int, most: int) -> str:
        """Works faster from the next frame on, where too much waits; the encoder's word for that, or empty.

        waiting, most  frames that wait, and that may
        """
        if not waiting:
            self._began, self._busy = time.monotonic(), 0.0
            return ""
        if waiting <= most * (self._eased + 1) / 4:
            return ""
        if self._busy < (time.monotonic() - self._began) / 2:  # it is the disk that cannot
            return ""
        try:
            held = self._encoder.ease() if self._encoder else None
        except _CANNOT as error:
            raise self._failure("its pictures", error) from error
        if held is None or self._encoder is None:
            return ""
        self._take(held)
        self._eased += 1
        return self._encoder.preset

    def end(self) -> None:
        """What is held back is written."""
        if self._encoder is not None:
            encoder, self._encoder = self._encoder, None
            try:
                held = encoder.flush()
            except _CANNOT as error:
                raise self._failure("its last pictures", error) from error
            self._take(held)

    def give_up(self) -> None:
        """After an error: what the encoder still gives is written, the next frame gets a new one."""
        with contextlib.suppress(CodingError):
            self.end()
        self._notes.clear()

    def _failure(self, subject: str, error: Exception) -> CodingError:
        said = reason(error) if isinstance(error, OSError | FFmpegError) else str(error)
        return CodingError(f"{self._source.name}: {subject} cannot be encoded ({said}).")

    def _take(self, packets: list[Packet]) -> None:
        for packet in packets:
            self._reel.take(packet)
            if note := self._notes.popleft():
                self._reel.note(note)


class Clock:
    """The times of a recording: without gaps where a file was sought in, as they are for a camera.

    They never fall: where those of the source go back a little, time stands still for so long.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._seconds = 0.0
        self._shift: float | None = None

    def seconds(self, pts: float, *, cut: bool) -> float:
        if self._shift is None:
            self._shift = pts
        seconds = pts - self._shift
        if (cut and not self._source.live) or seconds < self._seconds - _LITTLE:
            seconds = self._seconds + (1 / self._source.rate if self._source.rate else 0.04)
            self._shift = pts - seconds
        self._seconds = max(self._seconds, seconds)
        return self._seconds
