"""Sources that come and go: cameras and streams are connected to again and again until somebody stops it."""

import logging
import random
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from app.sources.decoder import CrashedError, Decoder, take_decoder
from app.sources.packets import Packet, StreamFormat
from app.sources.patience import Patience
from app.sources.source import LostError, Source, State, Status
from app.sources.told import Alive, Begun, Ended, Failed, Opened, Shot
from app.sources.wall_clock import WallClock
from detector.errors import SourceError
from detector.values import Frame

logger = logging.getLogger(__name__)

WAITS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # seconds before the attempts; the last one for ever
SPREAD = 0.2  # many cameras behind one switch must not all be asked in the same moment
HEALTHY = 30.0  # seconds of pictures after which the waits begin anew
_GLANCE = 0.1  # seconds between looks at the stop flag and at the clock


class Backoff:
    """How long to wait before the next attempt.

    failures  in a row
    """

    def __init__(self) -> None:
        self.failures = 0

    @property
    def is_hopeful(self) -> bool:
        """Whether not all waits have been tried."""
        return self.failures < len(WAITS)

    def next_wait(self, healthy_for: float) -> float:
        """Seconds, after a connection that gave pictures for `healthy_for` seconds."""
        if healthy_for >= HEALTHY:
            self.failures = 0
        wait = WAITS[min(self.failures, len(WAITS) - 1)]
        self.failures += 1
        return wait * random.uniform(1 - SPREAD, 1 + SPREAD)


class Reconnecting(Source):
    """A live source, decoded in a child process that is ended when it falls silent.

    reader  the module of `app.sources.readers` that reads it
    """

    live = True
    reader: ClassVar[str]

    def __init__(self, name: str, *, reader: str | None = None) -> None:
        """reader: another module than usual"""
        super().__init__(name)
        self._reader = reader or self.reader
        self._wake = threading.Event()
        self._clock = WallClock()
        self._patience = Patience()

    def stop(self) -> None:
        super().stop()
        self._wake.set()

    def try_now(self) -> None:
        self._wake.set()

    def _arguments(self) -> Mapping[str, Any]:
        """What the reader is told at the next connection."""
        raise NotImplementedError

    def _connected(self) -> None:
        """The first picture of a connection has come."""

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
            except CrashedError as error:
                sentence = f"{self.name}: its decoder has crashed ({error})"
                logger.warning("%s", sentence)
                lost = LostError(sentence, state=State.CRASHED)
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

    def _connection(self) -> Iterator[Frame | Status]:
        """One connection from its opening to its end; returns when stopped, or when what is not live ended.

        raises  LostError when another attempt makes sense, SourceError when not, CrashedError
        """
        decoder = take_decoder()
        try:
            decoder.begin(self._reader, self._arguments())
            self._clock.cut()
            yield from self._until_lost(decoder)
        finally:
            decoder.let_go()

    def _until_lost(self, decoder: Decoder) -> Iterator[Frame | Status]:
        words, count, stalled = "", 0, False
        waited = 0.0  # seconds; what others do with a frame does not count against the camera
        self._patience.connecting(waited)
        while not self._stopped.is_set():
            asked_at = time.monotonic()
            event = decoder.receive(_GLANCE)
            waited += time.monotonic() - asked_at
            if self.live and not isinstance(event, Shot):
                if self._patience.is_lost(waited):
                    decoder.end()
                    raise LostError(f"{self.name} {'has fallen silent' if count else 'does not answer'}")
                if not stalled and self._patience.is_stalled(waited):
                    stalled = True
                    yield self._status(State.STALLED, f"{self.name} sends no pictures")
            match event:
                case Shot() as shot:
                    if not count:
                        self._connected()
                    if not count or stalled:
                        yield self._status(State.LIVE, f"Watching {self.name}{words}")
                    count, stalled = count + 1, False
                    self._patience.picture(waited)
                    pts = self._clock.picture(shot.pts) if self.live else shot.pts
                    yield replace(self._frame(shot.pixels, pts), captured_at=shot.captured_at)
                case StreamFormat() as form:
                    if self.packets:
                        self.packets(form)
                case Packet() as packet:
                    pts, dts = self._clock.packet(packet.pts, packet.dts)
                    if self.packets:
                        self.packets(replace(packet, pts=pts, dts=dts))
                case Begun():
                    self._patience.begun(waited)
                case Opened() as opened:
                    self.live, self.seekable = opened.live, False
                    self.duration, self.rate = opened.duration, opened.rate
                    words = f" ({opened.words})" if opened.words else ""
                    self._patience.alive(waited)
                case Alive():
                    self._patience.alive(waited)
                case Ended() as ended:
                    if not self.live:
                        yield self._status(State.ENDED, ended.sentence)
                        return
                    raise LostError(
                        f"{self.name} has ended the stream" if count else f"{self.name} sends no pictures"
                    )
                case Failed() as failed:
                    raise self._failure(failed)

    def _failure(self, failed: Failed) -> Exception:
        if not failed.sentence:
            return LostError(f"{self.name}: lost ({failed.state})")
        if failed.state == State.FAILED.name:
            return SourceError(failed.sentence)
        return LostError(failed.sentence, state=State[failed.state], wait=failed.wait)
