"""A stream of coded pictures, cut into clips: always or around events, by time and by size."""

import itertools
import logging
import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.recording.clip import Clip
from app.recording.sidecar import Note, SidecarWriter
from app.sources.packets import Packet
from detector.errors import OptionError

logger = logging.getLogger(__name__)

_ROUNDED = 0.0005  # seconds: a note this little earlier belongs to the same frame
_RING_BYTES = 100_000_000  # of packets kept before an event: 25 s of 4K


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutting:
    """When clips begin and end.

    on_events        only around events; else always
    pre_roll         seconds before an event, at least: a clip begins with a key frame
    post_roll        seconds after the last event, likewise
    segment_seconds  a clip gets no longer than this and the distance of two key frames; None: any length
    segment_bytes    likewise of its size
    raises           OptionError for values that cannot be meant
    """

    on_events: bool = False
    pre_roll: float = 5.0
    post_roll: float = 10.0
    segment_seconds: float | None = None
    segment_bytes: int | None = None

    def __post_init__(self) -> None:
        if not (0 <= self.pre_roll <= 60 and 0 <= self.post_roll <= 3600):
            raise OptionError("A pre-roll lasts 0 to 60 seconds, a post-roll 0 to 3600.")
        if self.segment_seconds is not None and not self.segment_seconds >= 1:
            raise OptionError("A segment lasts 1 second or longer.")
        if self.segment_bytes is not None and self.segment_bytes < 100_000:
            raise OptionError("A segment has 100 kB or more.")


class Reel:
    """Packets and notes in, each in the order of time; clips out. For one thread.

    names     paths of the clips to come, each OUT.mp4
    closed    called with each clip when nothing more is written to it
    sidecars  whether notes are kept beside the clips
    raises    RecordingError, from `take`, `note`, `begin` and `close`; the clip that failed is closed by then
    """

    def __init__(
        self,
        names: Iterator[Path],
        cutting: Cutting,
        *,
        closed: Callable[[Clip], None],
        sidecars: bool = False,
        force: bool = False,
    ) -> None:
        self._names, self._cutting, self._closed = names, cutting, closed
        self._sidecars, self._force = sidecars, force
        self._coding, self._extradata = "h264", b""
        self.clip: Clip | None = None
        self._start = 0.0  # of the clip, on the clock of the packets; and so are all times below
        self._end_of_event = 0.0
        self._newest: float | None = None
        self._ring: deque[list[Packet]] = deque()  # each from a key frame to the next
        self._ring_bytes = 0
        self._notes: deque[Note] = deque()  # without a clip so far
        self._writer: SidecarWriter | None = None
        self._late: tuple[SidecarWriter, float] | None = None  # of the clip before, which ended then

    @property
    def begun(self) -> float:
        """When the clip that is written began; meaningless without one."""
        return self._start

    def begin(self, coding: str, extradata: bytes = b"") -> None:
        """Packets of another kind follow: another size, codec or connection."""
        self.cut()
        self._coding, self._extradata = coding, extradata

    def cut(self) -> None:
        """What follows does not belong to what was there."""
        self._close_clip(ended=math.inf)
        self._empty_ring()

    def take(self, packet: Packet) -> None:
        self._newest = packet.pts
        if self.clip is not None and packet.keyframe and self._is_complete(packet):
            self._close_clip(ended=packet.pts)
        if self.clip is not None:
            self._write(packet)
        elif self._cutting.on_events and packet.pts >= self._end_of_event:
            self._keep(packet)
        elif packet.keyframe:
            self._open(packet)
            self._write(packet)

    def trigger(self) -> None:
        """Something has happened now: what came shortly before is kept, and what comes for a while."""
        if not self._cutting.on_events or self._newest is None:
            return
        self._end_of_event = self._newest + self._cutting.post_roll
        if self.clip is None and self._ring:
            self._open(self._ring[0][0])
            for packet in itertools.chain.from_iterable(self._ring):
                self._write(packet)
            self._empty_ring()

    def note(self, note: Note) -> None:
        """What was found on a frame; notes may come some frames later than packets, never earlier."""
        if not self._sidecars:
            return
        if self._late is not None:
            writer, ended = self._late
            if note.pts < ended - _ROUNDED:
                writer.write(note)
                return
            self._late = None
            writer.close()
        self._notes.append(note)
        if self._writer is not None:
            self._write_notes(self._writer)
        else:
            self._forget_notes()

    def close(self) -> None:
        """Nothing more comes."""
        self._close_clip()
        self._close_late()
        self._empty_ring()

    def _is_complete(self, packet: Packet) -> bool:
        """Whether a new clip is to begin with this key frame, or none."""
        cutting, clip = self._cutting, self.clip
        assert clip is not None
        if cutting.on_events and packet.pts >= self._end_of_event:
            return True
        # A tenth of a second early rather than a whole distance of key frames late.
        if cutting.segment_seconds and packet.pts - self._start >= cutting.segment_seconds - 0.1:
            return True
        return bool(cutting.segment_bytes and clip.size >= cutting.segment_bytes)

    def _open(self, first: Packet) -> None:
        if self._late is not None:
            self._late = self._late[0], min(self._late[1], first.pts)
        path = next(self._names)
        self.clip = Clip(path, coding=self._coding, extradata=self._extradata, force=self._force)
        self._start = first.pts
        try:
            if self._sidecars:
                self._writer = SidecarWriter(path, first.pts, force=self._force)
                self._write_notes(self._writer)
        except BaseException:
            self._close_clip()
            raise
        logger.info("recording %s", path.name)

    def _write(self, packet: Packet) -> None:
        assert self.clip is not None
        try:
            self.clip.write(packet)
        except BaseException:
            self._close_clip()
            raise

    def _close_clip(self, ended: float | None = None) -> None:
        """ended  where the next clip begins: notes of frames before it may still come"""
        clip, self.clip = self.clip, None
        writer, self._writer = self._writer, None
        if writer is not None and ended is not None:
            self._close_late()
            self._late = (writer, ended)
        elif writer is not None:
            writer.close()
        if clip is not None:
            try:
                clip.close()
            finally:
                self._closed(clip)

    def _close_late(self) -> None:
        late, self._late = self._late, None
        if late is not None:
            late[0].close()

    def _write_notes(self, writer: SidecarWriter) -> None:
        while self._notes:
            note = self._notes.popleft()
            if note.pts >= writer.start - _ROUNDED:
                writer.write(note)

    def _keep(self, packet: Packet) -> None:
        """Remembers it, and forgets what no event to come can want."""
        if packet.keyframe:
            self._ring.append([])
        if not self._ring:
            return
        self._ring[-1].append(packet)
        self._ring_bytes += len(packet.content)
        wanted = packet.pts - self._cutting.pre_roll
        while self._ring_bytes > _RING_BYTES or (len(self._ring) > 1 and self._ring[1][0].pts <= wanted):
            self._ring_bytes -= sum(len(each.content) for each in self._ring.popleft())
        self._forget_notes()

    def _forget_notes(self) -> None:
        first = self._ring[0][0].pts if self._ring else self._newest or 0.0
        while self._notes and self._notes[0].pts < first - _ROUNDED:
            self._notes.popleft()

    def _empty_ring(self) -> None:
        self._ring.clear()
        self._ring_bytes = 0
