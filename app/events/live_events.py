"""Events of a source that is watched live: whoever has found something hands it over and goes on."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from app.events.event_log import EventLog
from app.events.mishaps import Mishaps
from app.events.regions import Regions
from app.events.rules import Event, Rules, Tally
from app.pipeline.belt import Abandoned, Belt
from detector.values import Detections, Frame, LabelMap

_WAITING = 8  # frames: 8 detections late is late enough
_WAITING_BYTES = 200_000_000
_NOT_FOLLOWED = "What happened on a frame could not be told"


class LiveEvents:
    """A thread of its own follows the objects: supervision loads in it, and nobody waits for that either.

    told      called from other threads with each event and its picture, where one is kept
    happened  called with each event at once
    """

    def __init__(
        self,
        told: Callable[[Event, Path | None], None],
        *,
        happened: Callable[[Event], None] = lambda event: None,
    ) -> None:
        self._told, self._happened = told, happened
        self._mishaps = Mishaps()
        # each with the rules of its moment: what another model has found means nothing to those that follow
        self._belt: Belt[tuple[Frame, Detections, Rules]] = Belt(items=_WAITING, size=_WAITING_BYTES)
        self._lock = threading.Lock()  # guards what follows
        self._rules: Rules | None = None
        self._log: EventLog | None = None
        self._thread = threading.Thread(target=self._follow_all, name="follow objects", daemon=True)
        self._thread.start()

    def follow(self, regions: Regions, labels: LabelMap) -> None:
        """From now on these zones and lines; what was counted begins anew."""
        with self._lock:
            self._rules = Rules(regions, labels) if regions else None

    def keep(self, log: EventLog | None) -> None:
        """From now on events go there too; the log before is closed by whoever opened it."""
        with self._lock:
            self._log = log

    def offer(self, frame: Frame, found: Detections) -> None:
        """A frame that was looked at, with track ids. Never waits."""
        if (rules := self._rules) is not None:
            with suppress(Abandoned):
                self._belt.put_newest((frame, found, rules), frame.pixels.nbytes)

    def tallies(self) -> Mapping[str, Tally]:
        """What each zone and line has seen until now."""
        with self._lock:
            known = self._rules.tallies if self._rules is not None else {}
            return {
                name: replace(
                    tally, now=Counter(tally.now), entered=Counter(tally.entered), out=Counter(tally.out)
                )
                for name, tally in known.items()
            }

    def close(self, timeout: float = 0.5) -> None:
        """Nothing is offered any more; whoever is still there has left, as far as there is time to say so."""
        self._belt.close()
        self._thread.join(timeout)
        self._belt.abandon()

    def _follow_all(self) -> None:
        last: tuple[Frame, Detections, Rules] | None = None
        while waiting := self._belt.take_now(1):
            import supervision  # noqa: F401  seconds, once: not while the window waits for the lock

            for frame, found, rules in waiting:
                last = frame, found, rules
                with self._mishaps.of(_NOT_FOLLOWED):
                    with self._lock:
                        events = rules.see(frame.pts, (frame.height, frame.width), found)
                    self._tell(events, *last)
        if last is not None:
            with self._mishaps.of(_NOT_FOLLOWED):
                with self._lock:
                    events = last[2].finish() if last[2] is self._rules else []
                self._tell(events, *last)

    def _tell(self, events: list[Event], frame: Frame, found: Detections, rules: Rules) -> None:
        with self._lock:
            log = self._log
        for event in events:
            self._happened(event)
        if log is not None:
            with suppress(Abandoned):  # closed by whoever opened it, just now
                log.offer(events, frame, found, rules.labels)
                return
        for event in events:
            self._told(event, None)
