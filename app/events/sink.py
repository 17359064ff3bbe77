"""Events of files, where every frame is looked at and nobody is in a hurry: a sink of the file way."""

from app.events.event_log import EventLog
from app.events.regions import Regions
from app.events.rules import Rules
from app.tracking.following import Following
from detector.values import Detections, Frame, LabelMap


class EventSink:
    """See `app.pipeline.batch.Sink`. One source comes after the other, and has its own objects.

    log  closed with this
    """

    def __init__(self, regions: Regions, labels: LabelMap, log: EventLog, *, min_score: float) -> None:
        self._regions, self._labels, self._log = regions, labels, log
        self._min_score = min_score
        self._rules = Rules(regions, labels)
        self._following = Following()
        self._last: tuple[Frame, Detections] | None = None

    @property
    def log(self) -> EventLog:
        return self._log

    def write(self, frame: Frame, found: Detections) -> None:
        if self._last is not None and self._last[0].source != frame.source:
            self._finish()
        found = self._following.of(frame, found, min_score=self._min_score)
        self._last = frame, found
        self._log.offer(self._rules.see(frame.pts, (frame.height, frame.width), found), frame, found)

    def close(self) -> None:
        self._finish()
        self._log.close()

    def _finish(self) -> None:
        """Whoever is still there leaves with the last frame of the source."""
        if self._last is not None:
            self._log.offer(self._rules.finish(), *self._last)
        self._rules, self._following = Rules(self._regions, self._labels), Following()
        self._last = None
