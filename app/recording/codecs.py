"""The encoders a recording can be made with, and which of them work on this computer."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from detector.errors import OptionError, RecordingError

DEFAULT_CODEC = "libx264"
_HD_PIXELS = 1280 * 720
_PROBED_FRAMES = 10


@dataclass(frozen=True, slots=True)
class Codec:
    """An encoder by FFmpeg's name.

    words   for people
    coding  what it writes, by FFmpeg's name of the bare format
    """

    name: str
    words: str
    coding: str = "h264"


CODECS = (
    Codec("libx264", "H.264 on the processor"),
    Codec("h264_nvenc", "H.264 on a graphics card of NVIDIA"),
    Codec("h264_qsv", "H.264 on a graphics chip of Intel"),
    Codec("h264_amf", "H.264 on a graphics card of AMD"),
    Codec("h264_videotoolbox", "H.264 by macOS"),
    Codec("h264_mf", "H.264 by Windows"),
    Codec("mpeg4", "MPEG-4 part 2: without H.264, but no browser plays it", coding="m4v"),
)


def find_codec(name: str) -> Codec:
    """raises  OptionError that names those there are"""
    for codec in CODECS:
        if codec.name == name:
            return codec
    raise OptionError(f"There is no codec '{name}'; it is one of {', '.join(each.name for each in CODECS)}.")


def ladder(codec: str, height: int, width: int, rate: float) -> tuple[Mapping[str, str], ...]:
    """Options of an encoder, from the most thorough that is usual for this size to the fastest.

    All steps of a ladder write the same headers (tests hold that), so a recording can step down on its way.
    """
    if codec == "mpeg4":
        return ({"flags": "+qscale", "global_quality": "472"},)  # 4 times FFmpeg's 118
    if codec != "libx264":
        return ({"forced-idr": "1", "bf": "0"} if "nvenc" in codec else {"bf": "0"},)
    # No B-frames: a packet is written as soon as it is made, and times in the file simply rise.
    # 3 frames of look-ahead save 40 % of the file; kill -9 loses what waits there, so not more.
    # force-cfr: or one more frame waits, for its duration. Time stamps stay as given.
    params = f"bframes=0:rc-lookahead={min(4, int(0.3 * rate))}:force-cfr=1"
    options = {"crf": "23", "forced-idr": "1"}
    # ms a frame on one core, 720p: veryfast 14.7, ultrafast 8.8; 1080p: 26.1 and 12.3
    if height * width > _HD_PIXELS:
        return (options | {"preset": "ultrafast", "x264-params": params},)
    # What the headers say, set alike for all presets; stitchable: nor do they depend on the pictures.
    same = f"{params}:stitchable=1:cabac=1:ref=1:weightp=0:8x8dct=0"
    return tuple(
        options | {"preset": preset, "x264-params": same} for preset in ("veryfast", "superfast", "ultrafast")
    )


def working_codecs() -> list[Codec]:
    """Those that write ten frames here which are read back in order, the preferred first. Takes a second."""
    with tempfile.TemporaryDirectory() as folder:
        return [codec for codec in CODECS if _works(codec.name, Path(folder) / f"{codec.name}.mp4")]


def _works(codec: str, path: Path) -> bool:
    from app.recording.recorder import Recorder  # here: it stands on this module

    grays = np.linspace(20, 235, _PROBED_FRAMES).astype(np.uint8)
    try:
        with Recorder(path, 240, 320, 25.0, codec=codec) as recorder:
            for number, gray in enumerate(grays):
                recorder.write(np.full((240, 320, 3), gray, np.uint8), number / 25)
        with av.open(path) as container:
            seen = [frame.to_ndarray(format="gray").mean() for frame in container.decode(video=0)]
    except (RecordingError, OSError, ValueError):  # av.FFmpegError is one of the latter two
        return False
    return len(seen) == _PROBED_FRAMES and bool(np.all(np.diff(seen) > 0))
