"""Reads a network address by PyAV, and hands on what the camera sends as well."""

import os
import re
import time
from urllib.parse import urlsplit

import av

from app.sources.child import Output
from app.sources.packets import StreamFormat
from app.sources.patience import OPEN_LIMIT
from app.sources.readers.reach import wait_for_answer
from app.sources.readers.video import MAX_AREA, Packet, Video, reason
from app.sources.source import LostError, State
from detector.errors import SourceError

_READ_LIMIT = 60.0  # seconds; whoever started this notices a stall much earlier
_LOCKED_OUT = 300.0  # seconds: cameras lock accounts that are tried too often
_NOT_THERE = 30.0  # seconds
_SIGN_OF_LIFE = 0.5  # seconds between two, while there is no picture yet
_INCOMPLETE = "is not a complete address; it looks like rtsp://host:554/path"
_PORTS = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "rtmps": 443, "http": 80, "https": 443}
_PROXIES = {"http_proxy", "https_proxy", "all_proxy"}  # with one of these, hosts are not reached directly
_PARAMETER_SETS = {"h264": ({7, 8}, 0x1F, 0), "hevc": ({32, 33, 34}, 0x7E, 1)}  # kinds, their bits' place


def read(out: Output, *, url: str, bare: str, name: str, open_limit: float) -> str:
    """url: with user name and password; bare: without."""
    scheme = scheme_of(bare)
    wait_for_host(bare, name)
    with open_stream(url, bare, name, open_limit) as video:
        recording = scheme in ("http", "https") and video.duration is not None
        out.opened(live=not recording, duration=video.duration if recording else None, rate=video.rate)
        packets = None if recording else _Packets(video, out)
        count = 0
        try:
            for seconds, picture in video.frames(packets):
                if packets:
                    packets.shown = True
                video.put(picture, seconds - video.start if recording else seconds, out)
                count += 1
        except (av.FFmpegError, OSError) as error:
            if not recording:
                raise LostError(f"{name}: the connection broke ({reason(error)})") from error
            if not count:
                raise SourceError(f"{name}: cannot be played from there ({reason(error)})") from error
            return f"{name} breaks off here: {reason(error)}"
    return f"End of {name}"


class _Packets:
    """Tells each packet, at times that can be written: none missing, those of decoding rising."""

    def __init__(self, video: Video, out: Output) -> None:
        self._video, self._out = video, out
        self._base = video.time_base
        self._dts = float("-inf")
        self._form: StreamFormat | None = None
        self._spoken = time.monotonic()
        self.shown = False  # a picture

    def __call__(self, packet: Packet) -> None:
        content = bytes(packet)
        self._tell_form(packet.is_keyframe, content)
        pts = float(packet.pts * self._base) if packet.pts is not None else None
        dts = float(packet.dts * self._base) if packet.dts is not None else None
        # At the beginning of a stream with B-frames FFmpeg knows neither.
        if dts is None:
            dts = self._dts + 0.001 if self._dts > float("-inf") else 0.0 if pts is None else pts
        self._dts = dts
        self._out.packet(dts if pts is None else pts, dts, packet.is_keyframe, content)
        if not self.shown and time.monotonic() - self._spoken > _SIGN_OF_LIFE:
            self._out.alive()
            self._spoken = time.monotonic()

    def _tell_form(self, keyframe: bool, content: bytes) -> None:
        """At the first packet, and at one that brings another size."""
        codec = self._video.codec
        size = codec.width, codec.height
        if self._form is not None and (size == (self._form.width, self._form.height) or not keyframe):
            return
        extradata = codec.extradata or b""
        if self._form is not None and not extradata.startswith(b"\1"):
            extradata = parameter_sets(codec.name, content) or extradata
        self._form = StreamFormat(codec.name, extradata, *size, self._base)
        self._out.stream_format(self._form)


def parameter_sets(codec: str, content: bytes) -> bytes:
    """Those in a coded picture (Annex B), as a decoder wants them at opening; empty where there are none."""
    if codec not in _PARAMETER_SETS:
        return b""
    kinds, mask, shift = _PARAMETER_SETS[codec]
    units = re.split(rb"\x00\x00\x00?\x01", content)[1:]
    return b"".join(b"\0\0\0\1" + unit for unit in units if unit and (unit[0] & mask) >> shift in kinds)


def scheme_of(address: str) -> str:
    return address.partition("://")[0].lower()


def open_stream(url: str, bare: str, name: str, limit: float) -> Video:
    """raises  LostError when another attempt makes sense, SourceError when not"""
    scheme = scheme_of(bare)
    options = {"max_pixels": str(MAX_AREA)}
    if scheme in ("rtsp", "rtsps"):
        # TCP: over UDP pictures smear. No probing of the rate: it takes a second and makes all pictures
        # a second late (viewer facts 2.1).
        options |= {"rtsp_transport": "tcp", "fpsprobesize": "0"}
    began = time.monotonic()
    try:
        return Video(url, name=name, options=options, timeout=(limit, _READ_LIMIT), live=True)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise _refusal(error, scheme, name, timed_out=time.monotonic() - began >= limit) from error


def wait_for_host(bare: str, name: str) -> None:
    """raises  LostError when nobody is there, SourceError when the address is none"""
    scheme = scheme_of(bare)
    port = _PORTS.get(scheme)
    if port is None or (scheme.startswith("http") and _PROXIES & {key.lower() for key in os.environ}):
        return
    try:
        parts = urlsplit(bare)
        host, port = parts.hostname, parts.port or port
    except ValueError:
        host = None
    if not host:
        raise SourceError(f"{name}: {_INCOMPLETE}")
    question = f"OPTIONS {bare} RTSP/1.0\r\nCSeq: 1\r\n\r\n" if scheme == "rtsp" else ""
    wait_for_answer(host, port, name=name, question=question.encode(), limit=OPEN_LIMIT)


def _refusal(error: Exception, scheme: str, name: str, *, timed_out: bool) -> Exception:
    """What an error at opening means. Only its kind and `strerror` are used: its text holds the URL."""
    match error:
        case av.error.HTTPUnauthorizedError():
            sentence = f"{name}: the user name or password is wrong (401)"
            return LostError(sentence, state=State.WRONG_PASSWORD, wait=_LOCKED_OUT)
        case av.error.HTTPForbiddenError():
            sentence = f"{name}: this user may not watch it (403)"
            return LostError(sentence, state=State.WRONG_PASSWORD, wait=_LOCKED_OUT)
        case av.error.HTTPNotFoundError():
            sentence = f"{name}: there is no stream at this path (404); look it up in the camera's manual"
            return LostError(sentence, state=State.NOT_FOUND, wait=_NOT_THERE)
        case av.error.ProtocolNotFoundError():
            return SourceError(f"{name}: addresses that begin with {scheme}:// cannot be opened")
        case av.error.DecoderNotFoundError():
            return SourceError(f"{name}: its pictures are coded in a way this program cannot decode")
        case av.error.ArgumentError() | UnicodeError():
            return SourceError(f"{name}: {_INCOMPLETE}")
        case ConnectionRefusedError():
            return LostError(f"{name}: the connection is refused; is the port right?")
    if timed_out or isinstance(error, (av.error.ExitError, TimeoutError)):
        return LostError(f"{name}: no answer within {OPEN_LIMIT:.0f} s")
    if isinstance(error, av.error.InvalidDataError):
        return LostError(f"{name}: what it sends is no video")
    return LostError(f"{name}: cannot be reached ({reason(error)}); is the host name right?")
