"""What every source of pictures is: something that yields frames and says how it is doing."""

import enum
import logging
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from app.redaction import redact
from app.sources.packets import PacketListener
from detector.errors import SourceError
from detector.values import Frame, Pixels

logger = logging.getLogger(__name__)


class State(enum.Enum):
    """How a source is doing."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALLED = "stalled"
    RECONNECTING = "reconnecting"
    WRONG_PASSWORD = "wrong password"
    NOT_FOUND = "not found"
    ENDED = "ended"
    CRASHED = "crashed"
    FAILED = "failed"


_LAST = {State.ENDED, State.CRASHED, State.FAILED}


@dataclass(frozen=True, slots=True)
class Status:
    """A change of state.

    sentence  what happened, fit to be shown (no password in it)
    retry_in  seconds until the next attempt, counted from when this was made; None: no attempt is coming
    made_at   monotonic seconds
    """

    state: State
    sentence: str
    retry_in: float | None = None
    made_at: float = 0.0

    @property
    def is_final(self) -> bool:
        """Whether the source sends nothing more by itself; it may be sought in, where it is seekable."""
        return self.state in _LAST and self.retry_in is None

    def seconds_left(self, now: float) -> int | None:
        """Until the next attempt, whole and at least 1, at the monotonic time `now`; None: none is coming."""
        return None if self.retry_in is None else max(1, math.ceil(self.made_at + self.retry_in - now))


class LostError(Exception):
    """A connection could not be made, or has ended, and another attempt makes sense.

    sentence  why, fit to be shown
    wait      seconds until the next attempt, where the usual waits would be wrong
    """

    def __init__(
        self, sentence: str, *, state: State = State.RECONNECTING, wait: float | None = None
    ) -> None:
        super().__init__(sentence)
        self.state = state
        self.wait = wait


class Source:
    """Frames and states in the order they happen, until the source ends or is stopped.

    Iterating opens the source and closes it at the end; iterating again opens it anew, and `sequence` counts
    on. An iteration raises nothing: what goes wrong is a Status FAILED, the last thing it yields.
    Only `stop` and `try_now` may be called from other threads than the iterating one.

    name      fit to be shown
    live      True: frames come when they happen; False: they wait to be asked for
    seekable  whether `seek` works
    duration  seconds; None where unknown or endless
    rate      frames/s as declared; None where unknown
    offers_packets  whether `packets` is ever called

    All but `name` and `offers_packets` are right once Status LIVE was yielded.

    packets   gets what the camera sends as it comes (see `app.sources.packets`); set before iterating, or
              between two items: then it begins with the next connection
    """

    live = False
    seekable = False
    offers_packets = False

    def __init__(self, name: str) -> None:
        self.name = redact(name)
        self.packets: PacketListener | None = None
        self.duration: float | None = None
        self.rate: float | None = None
        self._stopped = threading.Event()
        self._sequence = 0

    def __iter__(self) -> Iterator[Frame | Status]:
        try:
            yield from self._items()
        except SourceError as error:
            yield self._status(State.FAILED, str(error))
        except Exception as error:  # the top of every reading thread: it becomes a state
            logger.exception("%s: reading failed", self.name)
            yield self._status(State.FAILED, f"{self.name}: cannot be read ({type(error).__name__})")

    def stop(self) -> None:
        """The iteration ends soon. Only a flag is set: the iterating thread closes what it opened."""
        self._stopped.set()

    def try_now(self) -> None:
        """Do not wait for the next attempt to connect."""

    def seek(self, seconds: float, *, before: bool = False) -> None:
        """The next frame is the first at or after `seconds`; with `before`, the last one earlier than that.

        Called by the iterating thread between two items.
        """
        raise ValueError(f"{self.name} is not seekable")

    def _items(self) -> Iterator[Frame | Status]:
        raise NotImplementedError

    def _status(self, state: State, sentence: str, retry_in: float | None = None) -> Status:
        return Status(state, redact(sentence), retry_in, time.monotonic())

    def _frame(self, pixels: Pixels, pts: float, source: str | None = None) -> Frame:
        frame = Frame(pixels, self._sequence, pts, time.monotonic(), source or self.name)
        self._sequence += 1
        return frame


def frames(source: Source) -> Iterator[Frame]:
    """Only the frames of a source, and an error where `attempt` raises one."""
    return (item for item in attempt(source) if isinstance(item, Frame))


def attempt(source: Source) -> Iterator[Frame | Status]:
    """What a source yields, for readers that want an error where watching would go on waiting.

    raises  SourceError when the source fails, or cannot be reached before its first frame
    """
    reached = False
    hopeless = {State.FAILED, State.WRONG_PASSWORD, State.NOT_FOUND}
    lost = {State.RECONNECTING, State.CRASHED}
    for item in source:
        if isinstance(item, Frame):
            reached = True
        elif item.state in hopeless or (item.state in lost and (item.retry_in is None or not reached)):
            raise SourceError(item.sentence)
        elif item.state in lost:
            logger.warning("%s", item.sentence)
        yield item
