"""Encoded video by PyAV: exact times, upright pictures, nothing believed that a container only declares."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from types import TracebackType
from typing import TypeAlias

import av
import cv2
import numpy as np
from av.format import Flags as _Flags
from av.video.reformatter import ColorRange

from app.sources.child import Output
from detector.errors import SourceError
from detector.values import Pixels

MAX_SIDE = 16384  # pixels
MAX_AREA = 100_000_000  # pixels of one picture
MAX_SECONDS = 366 * 86400.0
MAX_STREAMS = 64
HALF_MS = 0.0005  # times are rounded by containers: a frame this little too early is the one asked for
_BT601 = (2, 5, 6)  # FFmpeg's AVColorSpace: not said, BT.470 BG, SMPTE 170M
_LEAD = 2.0  # seconds
_SIGN_OF_LIFE = 0.05  # seconds between the None of a long seek
Packet: TypeAlias = "av.Packet[av.VideoStream]"
_TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


class Video:
    """The pictures of an opened container.

    rate, duration  frames/s and seconds as declared; None where missing or absurd
    start           of its times, seconds
    seekable        False for bare elementary streams, which hold no times
    damaged         packets that could not be decoded so far

    raises  av.FFmpegError and OSError from opening; SourceError for a container without usable pictures
    """

    def __init__(
        self,
        address: str,
        *,
        name: str,
        options: dict[str, str],
        timeout: tuple[float, float] | None = None,
        live: bool = False,
    ) -> None:
        """live: pictures are wanted at once, at the times the stream itself gives them"""
        self._name = name
        self._container = av.open(address, options=options, timeout=timeout)
        try:
            self._stream = self._chosen_stream()
        except BaseException:
            self._container.close()
            raise
        if not live:  # each thread delays a live picture by one frame (viewer facts 2.4)
            self._stream.thread_type = "AUTO"
        stream, base = self._stream, self._stream.time_base
        self.rate = _sane(stream.average_rate or stream.guessed_rate, 1000.0)
        seconds = stream.duration * base if stream.duration and base else None
        whole = Fraction(self._container.duration, av.time_base) if self._container.duration else None
        self.duration = _sane(seconds or whole, MAX_SECONDS)
        self.seekable = _Flags.no_timestamps not in _Flags(self._container.format.flags)
        started = float(stream.start_time * base) if stream.start_time is not None and base else None
        self.start = started or 0.0
        self._first = 0.0 if live else started
        self.damaged = 0

    def __enter__(self) -> "Video":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def frames(self, tell: Callable[[Packet], None] | None = None) -> Iterator[tuple[float, av.VideoFrame]]:
        """(seconds, picture), in the order of showing, from here to the end.

        The seconds count from the stream's start; those of a live one are as it gives them.

        tell  called with each packet, once it is decoded and before its pictures
        """
        step = 1.0 / self.rate if self.rate else 0.04
        last: float | None = None
        for packet in self._container.demux(self._stream):
            pictures = self._decoded(packet)
            if tell is not None and packet.size:
                tell(packet)
            for picture in pictures:
                if picture.pts is not None:
                    seconds = picture.time
                else:
                    seconds = (self._first or 0.0) if last is None else last + step
                if self._first is None:
                    self._first = seconds
                last = seconds
                yield seconds - self._first, picture

    def frames_from(
        self, seconds: float, *, before: bool = False
    ) -> Iterator[tuple[float, av.VideoFrame] | None]:
        """As `frames`, from the first picture at `seconds` or later; with `before`, the last one earlier.

        Beyond the end it is the last picture. None is yielded now and then on the way there, so that the
        reader can change its mind.
        """
        held: tuple[float, av.VideoFrame] | None = None
        spoken = time.monotonic()
        entries = self._frames_from_key_before(seconds - 2 * HALF_MS if before else seconds)
        for entry in entries:
            if entry[0] >= seconds - HALF_MS:
                if before and held is not None:
                    yield held
                yield entry
                yield from entries
                return
            held = entry
            if time.monotonic() - spoken > _SIGN_OF_LIFE:
                yield None
                spoken = time.monotonic()
        if held is not None:
            yield held

    def put(self, picture: av.VideoFrame, pts: float, out: Output) -> None:
        """Hands the picture on as a frame holds it: BGR, upright.

        raises  SourceError when it is larger than this program shows
        """
        height, width = picture.height, picture.width
        self._check_size(height, width)
        turn = _TURNS.get(round(picture.rotation / 90) * 90 % 360)
        if turn is None:
            out.picture(pts, height, width, lambda pixels: _write_bgr(picture, pixels))
            return
        if turn != cv2.ROTATE_180:
            height, width = width, height

        def turn_into(pixels: Pixels) -> None:
            lying = np.empty((picture.height, picture.width, 3), np.uint8)
            _write_bgr(picture, lying)
            cv2.rotate(lying, turn, dst=pixels)

        out.picture(pts, height, width, turn_into)

    @property
    def codec(self) -> av.VideoCodecContext:
        return self._stream.codec_context

    @property
    def time_base(self) -> Fraction:
        """Seconds of one tick of a packet's times."""
        return self._stream.time_base or Fraction(1, av.time_base)

    def _decoded(self, packet: Packet) -> list[av.VideoFrame]:
        try:
            return packet.decode()
        except av.FFmpegError:  # what comes after it may be whole again
            self.damaged += 1
            return []

    def _chosen_stream(self) -> av.VideoStream:
        container = self._container
        if len(container.streams) > MAX_STREAMS:
            raise SourceError(f"{self._name}: holds {len(container.streams)} streams, more than a video has")
        if container.duration is not None and container.duration / av.time_base > MAX_SECONDS:
            raise SourceError(f"{self._name}: claims to last more than a year; the file is damaged")
        if not container.streams.video:
            raise SourceError(f"{self._name}: holds no pictures, only sound or other data")
        stream = container.streams.best("video") or container.streams.video[0]
        assert isinstance(stream, av.VideoStream)
        if stream.codec_context is None:
            raise SourceError(f"{self._name}: is coded in a way this program cannot decode")
        self._check_size(stream.height, stream.width)
        return stream

    def _check_size(self, height: int, width: int) -> None:
        if max(height, width) > MAX_SIDE or height * width > MAX_AREA:
            raise SourceError(f"{self._name}: its pictures of {width}x{height} are too large to be shown")

    def _frames_from_key_before(self, seconds: float) -> Iterator[tuple[float, av.VideoFrame]]:
        """From a key frame early enough: containers without an index (MPEG-TS) land too late at first."""
        back = 0.0
        while self.seekable:
            wanted = max(0.0, seconds - back)
            self._seek(wanted)
            entries = self.frames()
            first = next(entries, None)
            if first is not None and (first[0] <= seconds + HALF_MS or wanted == 0.0):
                yield first
                yield from entries
                return
            if wanted == 0.0:
                return
            back = max(_LEAD, 2 * back)
        yield from self.frames()

    def _seek(self, seconds: float) -> None:
        if seconds == 0.0:
            # Packets of the first pictures may be older than these (MPEG-TS); AVI refuses a time before 0.
            with contextlib.suppress(av.FFmpegError):
                self._seek(-_LEAD)
                return
        base, seconds = self._stream.time_base, min(seconds, MAX_SECONDS)  # FFmpeg counts in 64 bits
        if base:
            self._container.seek(math.floor((seconds + (self._first or 0.0)) / base), stream=self._stream)


def _write_bgr(picture: av.VideoFrame, pixels: Pixels) -> None:
    """The picture as it is coded, not turned.

    OpenCV knows BT.601 in limited range only, which nearly all video below HD is, but takes a fraction of
    swscale's time: 0.2 of 2.8 ms at 768x432, the two 46 to 50 dB apart.
    """
    known = picture.format.name == "yuv420p" and picture.colorspace in _BT601
    if known and picture.color_range != ColorRange.JPEG and not (picture.width % 2 or picture.height % 2):
        cv2.cvtColor(picture.to_ndarray(), cv2.COLOR_YUV2BGR_I420, dst=pixels)
    else:
        np.copyto(pixels, picture.to_ndarray(format="bgr24"))


def reason(error: Exception) -> str:
    """What FFmpeg or the system says, without the address, which may hold a password."""
    return getattr(error, "strerror", None) or type(error).__name__


def _sane(value: Fraction | float | None, limit: float) -> float | None:
    return float(value) if value is not None and 0 < value <= limit else None
