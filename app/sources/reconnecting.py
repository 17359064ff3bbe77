"""Sources that come and go: cameras and streams are connected to again and again until somebody stops it."""

import logging
import random
import threading
import time
from collections.abc import Iterator

from app.sources.source import Source, State, Status
from detector.errors import SourceError
from detector.values import Frame

logger = logging.getLogger(__name__)

WAITS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # seconds before the attempts; the last one for ever
SPREAD = 0.2  # many cameras behind one switch must not all be asked in the same moment
HEALTHY = 30.0  # seconds of pictures after which the waits begin anew


class LostError(Exception):
    """A connection could not be made, or has ended.

    sentence  why, fit to be shown
    wait      seconds until the next attempt, where the usual waits would be wrong
    """

    def __init__(
        self, sentence: str, *, state: State = State.RECONNECTING, wait: float | None = None
    ) -> None:
        super().__init__(sentence)
        self.state = state
        self.wait = wait


class Backoff:
    """How long to wait before the next attempt."""

    def __init__(self) -> None:
        self._failures = 0

    def next_wait(self, healthy_for: float) -> float:
        """Seconds, after a connection that gave pictures for `healthy_for` seconds."""
        if healthy_for >= HEALTHY:
            self._failures = 0
        wait = WAITS[min(self._failures, len(WAITS) - 1)]
        self._failures += 1
        return wait * random.uniform(1 - SPREAD, 1 + SPREAD)


class Reconnecting(Source):
    """A live source; `_connection` is one connection from its opening to its end."""

    live = True

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._wake = threading.Event()

    def stop(self) -> None:
        super().stop()
        self._wake.set()

    def try_now(self) -> None:
        self._wake.set()

    def _connection(self) -> Iterator[Frame | Status]:
        """Yields Status LIVE and then frames until it is stopped or a source that is not live has ended.

        raises  LostError when another attempt makes sense, SourceError when not, anything else like LostError
        """
        raise NotImplementedError

    def _items(self) -> Iterator[Frame | Status]:
        backoff = Backoff()
        while not self._stopped.is_set():
            yield self._status(State.CONNECTING, f"Connecting to {self.name}")
            first = newest = 0.0
            try:
                for item in self._connection():
                    if isinstance(item, Frame):
                        newest = item.captured_at
                        first = first or newest
                    yield item
                return
            except LostError as error:
                lost = error
            except SourceError as error:
                if not self._sequence:
                    raise
                lost = LostError(str(error))  # it has worked before, so it may again
            except Exception as error:  # the top of a connection: a camera must not be given up for a defect
                logger.exception("%s: connection lost", self.name)
                lost = LostError(f"{self.name}: lost ({type(error).__name__})")
            wait = lost.wait or backoff.next_wait(newest - first)
            self._wake.clear()
            if self._stopped.is_set():  # `stop` sets this one before it wakes
                return
            yield self._status(lost.state, str(lost), wait)
            self._wake.wait(wait)


class WallClock:
    """Media times that jump, made to run on with the monotonic clock.

    The time of a stream begins anew with each connection, jumps when a camera's clock is set, and runs
    backwards with broken ones; recordings need one that rises.
    """

    _FURTHEST_STEP = 10.0  # seconds

    def __init__(self) -> None:
        self._began: float | None = None
        self._shift = 0.0
        self._last = -1.0
        self._cut = True

    def cut(self) -> None:
        """A new connection begins."""
        self._cut = True

    def seconds(self, media_seconds: float) -> float:
        """Seconds since the first frame ever, for a frame that arrives now."""
        now = time.monotonic()
        if self._began is None:
            self._began = now
        seconds = media_seconds + self._shift
        if self._cut or not 0 <= seconds - self._last <= self._FURTHEST_STEP:
            seconds = max(now - self._began, self._last)
            self._shift = seconds - media_seconds
            self._cut = False
        self._last = seconds
        return seconds
