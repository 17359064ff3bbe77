"""Real videos whose frames tell their number, for tests."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from app.sources import Source, Status
from detector.values import Frame, Pixels

_BITS = 12


def numbered_picture(number: int, width: int = 192, height: int = 96) -> Pixels:
    """A gray picture with its number as black and white cells, and a bright square that moves."""
    picture = np.full((height, width, 3), 90, np.uint8)
    cell = width // _BITS
    for bit in range(_BITS):
        picture[: height // 3, bit * cell : (bit + 1) * cell] = 235 if number >> bit & 1 else 16
    left = 4 * number % (width - 16)
    picture[height // 2 : height // 2 + 16, left : left + 16] = (60, 220, 250)
    return picture


def read_number(pixels: Pixels) -> int:
    """The number of a decoded picture, also after lossy coding."""
    cell, height = pixels.shape[1] // _BITS, pixels.shape[0]
    cells = (
        pixels[height // 12 : height // 4, bit * cell + 2 : (bit + 1) * cell - 2] for bit in range(_BITS)
    )
    return sum(1 << bit for bit, cell_pixels in enumerate(cells) if cell_pixels.mean() > 128)


def write_video(
    path: Path,
    count: int = 60,
    *,
    rate: int = 25,
    times_ms: Sequence[int] | None = None,
    codec: str = "libx264",
    b_frames: int = 0,
    key_every: int = 12,
    size: tuple[int, int] = (192, 96),
    container_format: str | None = None,
) -> list[float]:
    """Writes numbered frames; returns their times in seconds.

    times_ms  of each frame; else evenly at `rate`
    size      width, height
    """
    base = Fraction(1, 1000) if times_ms else Fraction(1, rate)
    ticks = list(times_ms) if times_ms else list(range(count))
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = base
        stream.codec_context.thread_count = 1
        if codec == "libx264":
            stream.options = {"g": str(key_every), "bf": str(b_frames), "preset": "ultrafast", "crf": "18"}
            if b_frames:
                stream.options = {**stream.options, "x264-params": "b-adapt=0"}
        for number, tick in enumerate(ticks):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number, *size), "bgr24")
            frame.pts, frame.time_base = tick, base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return [float(tick * base) for tick in ticks]


def frames_of(source: Source) -> list[Frame]:
    """All frames of a source that ends."""
    return [item for item in source if isinstance(item, Frame)]


def read_until(source: Source, enough: Callable[[Frame | Status], bool]) -> list[Frame | Status]:
    """What the source yields, up to and with the item that is enough; it is stopped then."""
    items: list[Frame | Status] = []
    for item in source:
        items.append(item)
        if enough(item):
            source.stop()
            break
    return items


def after(count: int) -> Callable[[Frame | Status], bool]:
    """Enough is so many frames."""
    numbers = itertools.count(1)
    return lambda item: isinstance(item, Frame) and next(numbers) >= count


def eventually(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def statuses(items: Sequence[Frame | Status]) -> Iterator[Status]:
    return (item for item in items if isinstance(item, Status))
