"""What a camera sends before it is decoded: enough to write it into a file as it is.

A stream hands its packets to `Source.packets`, in the iterating thread and in the order of decoding: first a
StreamFormat, then packets, then a new StreamFormat whenever the camera was connected to again or changed its
size. Times are on the clock of `Frame.pts`: the packet of a picture has exactly the `pts` that its frame will
have, and it comes before that frame. That clock rises and runs with the monotonic one, over reconnections and
whatever the camera's own clock does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """How the packets that follow are to be read.

    codec      by FFmpeg's name: "h264", "hevc", "mjpeg", ...
    extradata  as a decoder wants it at opening (for H.264 over RTSP: the parameter sets, Annex B, and the
               packets likewise); may be empty where the packets carry it
    time_base  of the camera's clock, seconds: fine enough to write the times with
    """

    codec: str
    extradata: bytes
    width: int
    height: int
    time_base: Fraction


@dataclass(frozen=True, slots=True)
class Packet:
    """One coded picture.

    pts       seconds when it is shown, as its `Frame.pts`
    dts       seconds when it is decoded: rising, never later than `pts`
    keyframe  whether decoding can begin here; the first packet of a connection need not be one
    """

    content: bytes
    pts: float
    dts: float
    keyframe: bool


PacketListener: TypeAlias = Callable[[StreamFormat | Packet], None]
