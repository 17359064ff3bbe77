"""Who appears in a zone, leaves it, or crosses a line: tracked boxes in, events out. No clock, no thread.

An object is where its box stands: the middle of the lower edge. It has appeared once seen inside twice,
and left once it was seen outside twice or nowhere for a while: a box that trembles on the border, or that the
detector misses now and then, tells nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.events.regions import Line, Regions, Zone
from detector.values import Detections, LabelMap

_SIGHTINGS = 2  # on one side before it counts; SSD loses and finds a box again within one frame
_GONE = 1.5  # seconds without a sight of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to one object.

    kind       "appeared", "left" or "crossed"
    place      the name of the zone or line
    pts        when: seconds of the source's own clock
    box        x1, y1, x2, y2 in pixels, where it was seen last
    size       height, width of the frame
    seconds    how long it was in the zone, where it left one
    direction  "in" or "out" where it crossed a line
    """

    kind: str
    place: str
    pts: float
    track_id: int
    class_id: int
    label: str
    score: float
    box: tuple[float, float, float, float]
    size: tuple[int, int]
    seconds: float | None = None
    direction: str | None = None

    def sentence(self) -> str:
        """ "person 3 left Door after 12.4 s"."""
        who = f"{self.label} {self.track_id}"
        if self.kind == "crossed":
            return f"{who} crossed {self.place}, {self.direction}"
        if self.kind == "left":
            return f"{who} left {self.place} after {self.seconds:.1f} s"
        return f"{who} appeared in {self.place}"

    def to_json(self) -> dict[str, Any]:
        """Without what does not apply; pixels to a hundredth, seconds to a thousandth."""
        height, width = self.size
        fields = {
            "event": self.kind,
            "place": self.place,
            "time": round(self.pts, 3),
            "track": self.track_id,
            "class": self.label,
            "class_id": self.class_id,
            "score": round(self.score, 4),
            "box": [round(edge, 2) for edge in self.box],
            "width": width,
            "height": height,
            "seconds": None if self.seconds is None else round(self.seconds, 3),
            "direction": self.direction,
        }
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Tally:
    """What a zone or line has seen, by class id.

    now       are in the zone
    entered   have appeared in the zone, or crossed the line going in
    out       have left the zone, or crossed the line going out
    dwell     seconds in the zone, all those that have left together
    """

    now: Counter[int] = field(default_factory=Counter)
    entered: Counter[int] = field(default_factory=Counter)
    out: Counter[int] = field(default_factory=Counter)
    dwell: dict[int, float] = field(default_factory=lambda: defaultdict(float))


@dataclass(frozen=True, slots=True)
class _Sight:
    """One tracked box on one frame."""

    track_id: int
    class_id: int
    score: float
    box: tuple[float, float, float, float]


@dataclass(slots=True)
class _Visit:
    """An object in a zone."""

    since: float  # pts when it was first seen inside
    last: float
    sight: _Sight  # the last inside
    inside: int = 0  # sightings
    outside: int = 0  # since the last one inside
    classes: Counter[int] = field(default_factory=Counter)
    told: bool = False

    @property
    def class_id(self) -> int:
        """Most often seen: a detector may waver between car and truck."""
        return self.classes.most_common(1)[0][0]


class Rules:
    """Follows the objects of one source."""

    def __init__(self, regions: Regions, labels: LabelMap) -> None:
        self.regions, self.labels = regions, labels
        self._size: tuple[int, int] | None = None
        self._pts = float("-inf")
        self._zones: list[tuple[Zone, Any]] = []  # with supervision's judge of each
        self._lines: list[tuple[Line, Any]] = []
        self._visits: dict[str, dict[int, _Visit]] = {}
        self._tallies = {region.name: Tally() for region in regions.all}

    @property
    def tallies(self) -> Mapping[str, Tally]:
        """By the name of the zone or line."""
        return self._tallies

    def see(self, pts: float, size: tuple[int, int], found: Detections) -> list[Event]:
        """What has happened by the time of this frame.

        pts    seconds; where time goes back (somebody sought), everybody has left before
        size   height, width of the frame
        found  with track_ids; boxes without an id, or with -1, are nobody
        """
        events: list[Event] = []
        if size != self._size or pts < self._pts:
            events += self.finish()
            self._begin(size)
        self._pts = pts
        tracked = Detections.empty()
        if found.track_ids is not None:  # of a model that was just let go there may be ids that nobody knows
            tracked = found[(found.track_ids >= 0) & (found.class_ids < len(self.labels))]
        sights = _sights(tracked)
        seen = _for_supervision(tracked)
        for line, judge in self._lines:
            crossed_in, crossed_out = judge.trigger(seen)
            for crossed, direction in ((crossed_in, "in"), (crossed_out, "out")):
                events += [self._crossed(line, sights[i], direction) for i in np.flatnonzero(crossed)]
        for zone, judge in self._zones:
            inside = judge.trigger(seen)
            events += self._follow(zone, sights, inside.tolist())
        return events

    def finish(self) -> list[Event]:
        """The source has ended: whoever is in a zone leaves it."""
        events = []
        for zone, _ in self._zones:
            events += [self._left(zone, visit) for visit in self._visits[zone.name].values() if visit.told]
            self._visits[zone.name].clear()
            self._tallies[zone.name].now.clear()
        return events

    def _begin(self, size: tuple[int, int]) -> None:
        """Nobody is anywhere yet. What was counted stays."""
        import supervision as sv  # half a second: only who has drawn a zone pays for it

        self._size = size
        scale = np.array([size[1], size[0]])
        standing = (sv.Position.BOTTOM_CENTER,)

        def point(at: tuple[float, float]) -> Any:
            return sv.Point(*(np.array(at) * scale).tolist())

        self._zones = [
            (
                zone,
                sv.PolygonZone(
                    np.rint(np.array(zone.corners) * scale).astype(int), triggering_anchors=standing
                ),
            )
            for zone in self.regions.zones
        ]
        self._lines = [
            (
                line,
                sv.LineZone(
                    point(line.start),
                    point(line.end),
                    triggering_anchors=standing,
                    minimum_crossing_threshold=_SIGHTINGS,
                ),
            )
            for line in self.regions.lines
        ]
        self._visits = {zone.name: {} for zone, _ in self._zones}

    def _follow(self, zone: Zone, sights: list[_Sight], inside: list[bool]) -> list[Event]:
        visits, events = self._visits[zone.name], []
        for sight, is_inside in zip(sights, inside):
            visit = visits.get(sight.track_id)
            if is_inside:
                if visit is None:
                    visit = visits[sight.track_id] = _Visit(self._pts, self._pts, sight)
                visit.last, visit.sight, visit.outside = self._pts, sight, 0
                visit.inside += 1
                visit.classes[sight.class_id] += 1
                if visit.inside >= _SIGHTINGS and not visit.told:
                    visit.told = True
                    events.append(self._appeared(zone, visit))
            elif visit is not None:
                visit.outside += 1
        for track_id, visit in list(visits.items()):
            if visit.outside >= _SIGHTINGS or self._pts - visit.last > _GONE:
                del visits[track_id]
                if visit.told:
                    events.append(self._left(zone, visit))
        now = self._tallies[zone.name].now
        now.clear()
        now.update(visit.class_id for visit in visits.values() if visit.told)
        return events

    def _appeared(self, zone: Zone, visit: _Visit) -> Event:
        self._tallies[zone.name].entered[visit.class_id] += 1
        return self._event("appeared", zone.name, self._pts, visit.sight, visit.class_id)

    def _left(self, zone: Zone, visit: _Visit) -> Event:
        tally, seconds = self._tallies[zone.name], visit.last - visit.since
        tally.out[visit.class_id] += 1
        tally.dwell[visit.class_id] += seconds
        return self._event("left", zone.name, visit.last, visit.sight, visit.class_id, seconds=seconds)

    def _crossed(self, line: Line, sight: _Sight, direction: str) -> Event:
        tally = self._tallies[line.name]
        (tally.entered if direction == "in" else tally.out)[sight.class_id] += 1
        return self._event("crossed", line.name, self._pts, sight, sight.class_id, direction=direction)

    def _event(
        self,
        kind: str,
        place: str,
        pts: float,
        sight: _Sight,
        class_id: int,
        *,
        seconds: float | None = None,
        direction: str | None = None,
    ) -> Event:
        assert self._size is not None
        return Event(
            kind=kind,
            place=place,
            pts=pts,
            track_id=sight.track_id,
            class_id=class_id,
            label=self.labels[class_id],
            score=sight.score,
            box=sight.box,
            size=self._size,
            seconds=seconds,
            direction=direction,
        )


def _sights(tracked: Detections) -> list[_Sight]:
    if tracked.track_ids is None:
        return []
    ids, class_ids, scores = (
        values.tolist() for values in (tracked.track_ids, tracked.class_ids, tracked.scores)
    )
    return [_Sight(*fields) for fields in zip(ids, class_ids, scores, map(tuple, tracked.boxes.tolist()))]


def _for_supervision(tracked: Detections) -> Any:
    import supervision as sv

    ids = np.zeros(0, np.int32) if tracked.track_ids is None else tracked.track_ids
    return sv.Detections(
        xyxy=tracked.boxes, confidence=tracked.scores, class_id=tracked.class_ids, tracker_id=ids
    )
