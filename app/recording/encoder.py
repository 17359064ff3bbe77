"""Coded video that every player and browser shows, made from BGR pixels, with little held back."""

import os
from collections.abc import Mapping
from fractions import Fraction

import av
import cv2
import numpy as np
from av.codec.context import CodecContext
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter

from app.recording.codecs import DEFAULT_CODEC, ladder
from app.sources.packets import Packet
from detector.values import Pixels

TICKS = 90_000  # a second in the clock of a recording: exact to 11 microseconds, and MPEG's own
TIME_BASE = Fraction(1, TICKS)

_KEY_FRAME_TICKS = TICKS  # one a second: what a player must decode at most to seek
_HD = Colorspace.ITU709, ColorPrimaries.BT709, ColorTrc.BT709
_SD = Colorspace.ITU601, ColorPrimaries.SMPTE170M, ColorTrc.SMPTE170M
_LIKELY_RATE = 25.0  # where nobody knows; it only guides the encoder


class Encoder:
    """Frames of one size and their times in, packets out; each key frame brings its headers along.

    4:2:0 video has even sides. A picture with an odd side is continued by one column or row, a copy of its
    last one, at the right or the bottom, so boxes keep their coordinates. (H.264 cannot crop 4:2:0 by one
    pixel, and browsers ignore MP4's cropping rectangle, so cutting it off in the container would help few.)

    rate    frames a second, where the source knows it; the times decide, this guides the encoder
    raises  av.FFmpegError and OSError, from `encode`, `ease` and `flush` too
    """

    def __init__(self, height: int, width: int, rate: float | None, *, codec: str = DEFAULT_CODEC) -> None:
        self._height, self._width, self._codec = height, width, codec
        self._rate = max(rate or _LIKELY_RATE, 0.01)
        # Players that ignore the tags take BT.709 for HD, BT.601 for smaller pictures: so do we, and tag it.
        self._high_definition = height >= 720 or width >= 1280
        self._reformatter = VideoReformatter()
        self._next_key_frame = 0
        self._ladder = ladder(codec, height, width, self._rate)
        self._step = 0
        self._context = self._opened(self._ladder[0])

    @property
    def preset(self) -> str:
        """How thoroughly it works, in the encoder's own word."""
        return self._ladder[self._step].get("preset", "")

    def encode(self, pixels: Pixels, ticks: int) -> list[Packet]:
        """Packets that are ready now; `ticks` (1/90000 s) rises from call to call.

        pixels  (height, width, 3) uint8 BGR; another size is scaled to fit, with black beside it
        """
        frame = self._converted(self._even(self._fitting(pixels)))
        frame.pts, frame.time_base = ticks, TIME_BASE
        if ticks >= self._next_key_frame:
            frame.pict_type = PictureType.I
            self._next_key_frame = ticks + _KEY_FRAME_TICKS
        return _packets(self._context.encode(frame))

    def ease(self) -> list[Packet] | None:
        """Goes on with less effort, and larger files. None: it works as fast as it can already.

        returns  what was held back; the next frame is a key frame with the same headers, so that one file
                 holds both
        """
        if self._step + 1 == len(self._ladder):
            return None
        held = self.flush()
        self._step += 1
        self._context = self._opened(self._ladder[self._step])
        self._next_key_frame = 0
        return held

    def flush(self) -> list[Packet]:
        """The packets still held back; nothing can be encoded afterwards."""
        return _packets(self._context.encode(None))

    def _opened(self, options: Mapping[str, str]) -> "av.VideoCodecContext":
        context = CodecContext.create(self._codec, "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width, context.height = self._width + self._width % 2, self._height + self._height % 2
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, 30_000) if self._codec == "mpeg4" else TIME_BASE  # 16 bits
        context.framerate = Fraction(self._rate).limit_denominator(1001)
        context.options = dict(options)
        context.gop_size = 1000  # key frames are set by time, above
        context.thread_count = max(1, min(4, (os.cpu_count() or 1) // 2))  # the detector wants the others
        context.color_range = ColorRange.MPEG
        context.colorspace, context.color_primaries, context.color_trc = _HD if self._high_definition else _SD
        return context

    def _converted(self, pixels: Pixels) -> av.VideoFrame:
        """BGR as limited-range 4:2:0."""
        if not self._high_definition:
            # OpenCV knows BT.601 only, but takes a fifth of swscale's time (0.15 of 0.7 ms at 768x432) and is
            # nearer the original (45.9 against 42.1 dB there and back).
            planes = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2YUV_I420), np.uint8)
            return av.VideoFrame.from_ndarray(planes, format="yuv420p")
        return self._reformatter.reformat(
            av.VideoFrame.from_numpy_buffer(pixels, format="bgr24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )

    def _fitting(self, pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        if (height, width) == (self._height, self._width):
            return pixels
        scale = min(self._height / height, self._width / width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture = np.zeros((self._height, self._width, 3), np.uint8)
        top, left = (self._height - size[1]) // 2, (self._width - size[0]) // 2
        picture[top : top + size[1], left : left + size[0]] = cv2.resize(
            pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        )
        return picture

    def _even(self, pixels: Pixels) -> Pixels:
        right, bottom = self._width % 2, self._height % 2
        if right or bottom:
            return np.pad(pixels, ((0, bottom), (0, right), (0, 0)), mode="edge")
        return np.ascontiguousarray(pixels)


def _packets(coded: "list[av.Packet[av.VideoStream]]") -> list[Packet]:
    packets = []
    for each in coded:
        seconds = float((each.pts or 0) * each.time_base)
        packets.append(Packet(bytes(each), seconds, seconds, each.is_keyframe))  # no B-frames: one order
    return packets
