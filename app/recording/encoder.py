"""H.264 that every player and browser shows, made from BGR pixels, with little held back in the encoder."""

import os
from fractions import Fraction

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from av.video.stream import VideoStream

from detector.values import Pixels

TICKS = 90_000  # a second in the clock of a recording: exact to 11 microseconds, and MPEG's own
TIME_BASE = Fraction(1, TICKS)

_HD_PIXELS = 1280 * 720
_KEY_FRAME_TICKS = TICKS  # one a second: what a player must decode at most to seek
_HD = Colorspace.ITU709, ColorPrimaries.BT709, ColorTrc.BT709
_SD = Colorspace.ITU601, ColorPrimaries.SMPTE170M, ColorTrc.SMPTE170M
_LIKELY_RATE = 25.0  # where nobody knows; it only guides the encoder


class Encoder:
    """Frames of one size and their times in, packets for `container` out.

    4:2:0 video has even sides. A picture with an odd side is continued by one column or row, a copy of its
    last one, at the right or the bottom, so boxes keep their coordinates. (H.264 cannot crop 4:2:0 by one
    pixel, and browsers ignore MP4's cropping rectangle, so cutting it off in the container would help few.)
    """

    def __init__(self, container: OutputContainer, width: int, height: int, rate: float | None) -> None:
        self._height, self._width = height, width
        rate = max(rate or _LIKELY_RATE, 0.01)
        # Players that ignore the tags take BT.709 for HD, BT.601 for smaller pictures: so do we, and tag it.
        self._high_definition = height >= 720 or width >= 1280
        self._reformatter = VideoReformatter()
        self._next_key_frame = 0

        stream = container.add_stream(
            "libx264",
            rate=Fraction(rate).limit_denominator(1001),
            options={
                # ms a frame on one core, 720p: veryfast 14.7, ultrafast 8.8; 1080p: 26.1 and 12.3
                "preset": "veryfast" if width * height <= _HD_PIXELS else "ultrafast",
                "crf": "23",
                "forced-idr": "1",
                # No B-frames: a packet is written as soon as it is made, and times in the file simply rise.
                # 3 frames of look-ahead save 40 % of the file; kill -9 loses what waits there, so not more.
                # force-cfr: or one more frame waits, for its duration. Time stamps stay as given.
                "x264-params": f"bframes=0:rc-lookahead={min(4, int(0.3 * rate))}:force-cfr=1",
            },
        )
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        codec = stream.codec_context
        codec.time_base = TIME_BASE
        codec.gop_size = 1000  # key frames are set by time, below
        codec.thread_count = max(1, min(4, (os.cpu_count() or 1) // 2))  # the detector wants the others
        codec.color_range = ColorRange.MPEG
        codec.colorspace, codec.color_primaries, codec.color_trc = _HD if self._high_definition else _SD
        self._stream = stream

    def encode(self, pixels: Pixels, ticks: int) -> "list[Packet[VideoStream]]":
        """Packets that are ready now; `ticks` rises from call to call.

        pixels  (height, width, 3) uint8 BGR; another size is scaled to fit, with black beside it
        """
        frame = self._converted(self._even(self._fitting(pixels)))
        frame.pts, frame.time_base = ticks, TIME_BASE
        if ticks >= self._next_key_frame:
            frame.pict_type = PictureType.I
            self._next_key_frame = ticks + _KEY_FRAME_TICKS
        return self._stream.encode(frame)

    def flush(self) -> "list[Packet[VideoStream]]":
        """The packets still held back; nothing can be encoded afterwards."""
        return self._stream.encode(None)

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
