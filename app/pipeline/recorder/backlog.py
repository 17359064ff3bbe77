"""What a camera has sent since its last key frame: without it a copy could only begin with the next one."""

from app.sources import Packet, StreamFormat

_MOST_BYTES = 50_000_000  # cameras that send a key frame once a minute exist
_MOST_SECONDS = 30.0


class Backlog:
    """Filled by the capture thread; a copy is taken by whoever begins a recording."""

    def __init__(self) -> None:
        self._format: StreamFormat | None = None
        self._packets: list[Packet] = []
        self._bytes = 0

    def add(self, item: StreamFormat | Packet) -> None:
        if isinstance(item, StreamFormat):
            self._format, self._packets, self._bytes = item, [], 0
            return
        if item.keyframe:
            self._packets, self._bytes = [], 0
        elif not self._packets:
            return
        self._packets.append(item)
        self._bytes += len(item.content)
        if self._bytes > _MOST_BYTES or item.pts - self._packets[0].pts > _MOST_SECONDS:
            self._packets, self._bytes = [], 0

    def items(self) -> list[StreamFormat | Packet]:
        """In the order they came; empty for sources that hand on no packets."""
        return [self._format, *self._packets] if self._format else []
