"""The time a training takes: all of it, and that of its steps alone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Pause:
    """A stretch of time that is not spent on steps."""

    seconds = 0.0


class Clock:
    """Runs from its making.

    pictures  trained on since then
    """

    def __init__(self, before: float = 0.0) -> None:
        self._began = self._saved = time.monotonic()
        self._before = before
        self._paused = 0.0
        self.pictures = 0

    @property
    def seconds(self) -> float:
        """All time, with that of earlier sittings."""
        return self._before + time.monotonic() - self._began

    @property
    def pictures_per_s(self) -> float:
        """Of this sitting, pauses left out."""
        return self.pictures / max(time.monotonic() - self._began - self._paused, 1e-9)

    @property
    def since_saving(self) -> float:
        return time.monotonic() - self._saved

    def saved(self) -> None:
        self._saved = time.monotonic()

    @contextmanager
    def pause(self) -> Iterator[Pause]:
        """Takes the time of the block out of the rate; the pause says how long it was."""
        pause, began = Pause(), time.monotonic()
        try:
            yield pause
        finally:
            pause.seconds = time.monotonic() - began
            self._paused += pause.seconds
