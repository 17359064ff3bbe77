"""One video while it is written: coded pictures into a part file that plays whatever happens."""

import contextlib
import io
import os
import re
from array import array
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import av
from av.codec.context import CodecContext
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from app.recording.encoder import TICKS, TIME_BASE
from app.recording.part_file import PartFile, check_left_over, create_private, reason, refuse_existing
from app.sources.packets import Packet
from detector.errors import RecordingError

SUFFIXES = (".mp4", ".m4v")  # of a recording
MADE_HERE = "Recorded by SSD Studio"  # the comment in our files: only these does a quota delete
_LEAD_TICKS = 1000 * TICKS
_UNIT = re.compile(rb"\x00\x00\x01[^\x00]")  # of H.264, Annex B: its first byte says what it is
_WHOLE = re.compile(rb"\x00\x00\x01[\x25\x45\x65]")  # one of a picture that needs no other


class CodingError(RecordingError):
    """A picture cannot be written, and the disk is not to blame: the next one may be another matter."""


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
        part.unlink(missing_ok=True)  # whoever looks for left-overs may have been first


def part_path(path: Path) -> Path:
    """What is being written lies beside the target: OUT.mp4 is OUT.part.mkv until it is finished."""
    return path.with_suffix(".part.mkv")


def can_begin(packet: Packet, *, extradata: bytes = b"") -> bool:
    """Whether what a clip must know at its beginning can be read from a key frame of H.264; see Clip.

    Of one that was cut off, FFmpeg's parser and the picture after it make one packet, a key frame still, with
    headers and all: only decoding tells, and takes less time than reading headers as `Clip` does.
    """
    content = extradata + packet.content
    if _WHOLE.search(packet.content):
        return _shows(content)
    try:  # cameras that refresh a picture bit by bit send no whole one; then the headers must do
        with av.open(io.BytesIO(content), format="h264") as reader:
            return bool(reader.streams.video[0].width)  # 0 where there is no picture
    except FFmpegError:
        return False


def _shows(content: bytes) -> bool:
    """Whether a picture can be decoded from this alone."""
    decoder = CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = 1
    for piece in (av.Packet(content), None):
        with contextlib.suppress(FFmpegError):
            if decoder.decode(piece):
                return True
    return False


class Clip:
    """OUT.part.mkv, which plays up to the last second even after kill -9 or on a full disk.

    Used by one thread at a time; only `sync` may be called from another.

    path       OUT.mp4, what it is to become
    coding     of the packets, by FFmpeg's name of the bare format
    extradata  headers that the packets do not bring along, in that format
    force      replace a part file that nobody writes any more
    ticks      when each packet is shown, 1/90000 s from the start, exactly: the part file rounds it
    raises     RecordingError, from `write` and `close` too; its sentence names the part that plays
    """

    def __init__(
        self, path: Path, *, coding: str = "h264", extradata: bytes = b"", force: bool = False
    ) -> None:
        check_target(path, force=force)
        self.path = path
        self.ticks = array("q")
        self._coding, self._extradata = coding, extradata
        self._part = PartFile(part_path(path), force=force)
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._start = 0.0
        self._refusal = ""  # of a picture, by the coder
        self._closed = False

    @property
    def part(self) -> Path:
        return self._part.path

    @property
    def size(self) -> int:
        """Bytes that have been written."""
        return self._part.written

    @property
    def broken(self) -> bool:
        """Whether nothing more can be written."""
        return bool(self._part.failure or self._refusal)

    def write(self, packet: Packet) -> None:
        """Appends a packet. The first is a key frame and where time begins; what is shown earlier is lost.

        A later one with nothing in it is left out: it would be counted, and the muxer passes over it.
        """
        if self.broken:
            raise self.failed()
        if self.ticks and self._coding == "h264" and not _UNIT.search(packet.content):
            return
        if not self.ticks:
            self._start = packet.pts
        ticks = round((packet.pts - self._start) * TICKS)
        if ticks < 0:
            return
        if self.ticks and ticks == self.ticks[-1]:  # cameras do that at first: both are to be seen
            ticks += TICKS // 1000
        try:
            if self._container is None:
                self._begin(packet)
            self._mux(packet.content, ticks, packet.keyframe)
        except FFmpegError as error:
            self.refuse(error)
            raise self.failed() from error
        except OSError as error:
            self._part.failure = self._part.failure or error
            raise self.failed() from error
        self.ticks.append(ticks)

    def sync(self) -> None:
        """What was written survives a power cut when this returns; the disk may take its time."""
        self._part.sync()

    def refuse(self, error: Exception) -> None:
        """Nothing more is written, because of a picture that cannot be; what was before it is made whole."""
        self._refusal = self._refusal or (
            reason(error) if isinstance(error, OSError | FFmpegError) else str(error)
        )

    def failed(self) -> RecordingError:
        """What to say when it is broken: a CodingError where the disk is not to blame."""
        disk = self._part.failure
        words = f"Writing {self.part} failed ({reason(disk) if disk else self._refusal})"
        if not self.ticks:
            advice = "; make room or choose another folder" if disk else ""
            said = f"{words} before the first frame{advice}."
        else:
            advice = " Make room or choose another folder." if disk else ""
            said = f"{words} after {len(self.ticks)} frames; what is there plays.{advice}"
        return RecordingError(said) if disk else CodingError(said)

    def close(self) -> None:
        """Nothing more comes. Without a packet there is no file; calling it again says the same."""
        if not self._closed:
            self._closed = True
            if self._container is not None:
                with contextlib.suppress(OSError, FFmpegError):  # the part file remembers the reason
                    self._container.close()
            self._part.close()
            if not self.ticks:
                self.part.unlink(missing_ok=True)
        if self.broken:
            raise self.failed()

    def let_go(self) -> None:
        """After closing: other programs may finish what was left, or replace it."""
        self._part.let_go()

    def _begin(self, packet: Packet) -> None:
        # A cluster lies in memory until it is complete, so it ends after 0.2 s; and no buffer beyond that.
        options = {"cluster_time_limit": "200", "flush_packets": "1"}
        self._container = av.open(self._part, "w", format="matroska", options=options)
        self._container.metadata["comment"] = MADE_HERE
        self._container.metadata["creation_time"] = datetime.now(UTC).isoformat(timespec="milliseconds")
        # What the muxer must know stands in the headers of a key frame: the bare format's reader finds it.
        with av.open(io.BytesIO(self._extradata + packet.content), format=self._coding) as reader:
            self._stream = self._container.add_stream_from_template(reader.streams.video[0])
        self._stream.time_base = TIME_BASE

    def _mux(self, content: bytes, ticks: int, keyframe: bool) -> None:
        assert self._container is not None
        assert self._stream is not None
        packet = av.Packet(content)
        packet.stream, packet.time_base = self._stream, TIME_BASE
        packet.pts = ticks
        # Matroska keeps the order and the times of showing; its muxer wants these to rise and be earlier.
        packet.dts = len(self.ticks) - _LEAD_TICKS
        packet.is_keyframe = keyframe
        self._container.mux(packet)
