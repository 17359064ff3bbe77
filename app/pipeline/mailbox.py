"""The place between capture and everybody else: it holds the newest frame and nothing older."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from detector.values import Frame


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A frame as it was put in.

    number  counts what was put in, from 1
    epoch   counts the cuts in time: seeks, reconnections
    seen    the frame as it may be shown and written: with places blurred, where that is wanted
    """

    frame: Frame
    number: int
    epoch: int
    seen: Frame

    def fits(self, other: "Entry") -> bool:
        """Whether boxes found on one may be shown on the other: no cut, other file or size between."""
        mine, theirs = self.frame, other.frame
        return (self.epoch, mine.source, mine.pixels.shape) == (
            other.epoch,
            theirs.source,
            theirs.pixels.shape,
        )


class Mailbox:
    """A writer never waits and a reader never gets anything but the newest.

    changed  notified on each frame; those who wait for more than frames share it as their lock
    """

    def __init__(self, changed: threading.Condition) -> None:
        self.changed = changed
        self._entry: Entry | None = None
        self._number = 0
        self._epoch = 0

    def entry_for(self, frame: Frame) -> Entry:
        """The next to be put in, by the one thread that does that."""
        with self.changed:
            return Entry(frame, self._number + 1, self._epoch, seen=frame)

    def put(self, entry: Entry) -> None:
        with self.changed:
            self._number = entry.number
            self._entry = entry
            self.changed.notify_all()

    def cut(self) -> None:
        """The next frame does not follow the one before in time."""
        with self.changed:
            self._epoch += 1

    def newest(self) -> Entry | None:
        with self.changed:
            return self._entry


class News:
    """Tells that there is something new, once until somebody has looked.

    tell  called from any thread; None: nobody wants to know
    """

    def __init__(self, tell: Callable[[], None] | None) -> None:
        self._callback = tell
        self._lock = threading.Lock()
        self._told = False

    def tell(self) -> None:
        with self._lock:
            if self._told or self._callback is None:
                return
            self._told = True
        self._callback()

    def looked(self) -> None:
        with self._lock:
            self._told = False
