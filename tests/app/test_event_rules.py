"""Tracked boxes in, events out: who appears in a zone, leaves it, crosses a line."""

from collections.abc import Iterable

import numpy as np
import pytest

from app.events import Line, Regions, Rules, Zone
from app.events.rules import Event
from detector.values import Detections, LabelMap

LABELS = LabelMap(("car", "truck"))
SIZE = (100, 200)  # height, width
LEFT_HALF = Zone("left half", ((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
MIDDLE = Line("middle", (0.5, 1), (0.5, 0))  # walked upwards: in is to the left


def at(*objects: tuple[int, float, float], class_id: int = 0) -> Detections:
    """Boxes 10 wide and 20 high that stand at (x, y); objects are (track, x, y)."""
    boxes = np.float32([[x - 5, y - 20, x + 5, y] for _, x, y in objects]).reshape(-1, 4)
    ids = np.int32([track for track, _, _ in objects])
    scores = np.full(len(ids), 0.9, np.float32)
    return Detections(boxes, scores, np.full(len(ids), class_id, np.int32), ids)


def play(rules: Rules, frames: Iterable[Detections], *, step: float = 0.2, start: float = 0.0) -> list[Event]:
    events = []
    for number, found in enumerate(frames):
        events += rules.see(start + number * step, SIZE, found)
    return events


def told(events: list[Event]) -> list[str]:
    return [event.sentence() for event in events]


def test_one_who_walks_through_a_zone_appears_and_leaves_once_with_the_time_between():
    rules = Rules(Regions((LEFT_HALF,)), LABELS)
    events = play(rules, [at((7, x, 50)) for x in range(-15, 180, 5)])
    # x = 0 at frame 3 (0.6 s) is the first inside, x = 100 at frame 23 (4.6 s) the last
    assert told(events) == ["car 7 appeared in left half", "car 7 left left half after 4.0 s"]
    assert [event.pts for event in events] == pytest.approx([0.8, 4.6])


def test_where_somebody_is_depends_on_where_they_stand_not_on_their_middle():
    upper = Zone("upper", ((0, 0), (1, 0), (1, 0.5), (0, 0.5)))
    rules = Rules(Regions((upper,)), LABELS)
    assert not play(rules, [at((1, 100, 55))] * 3)  # the box reaches from 35 to 55
    assert len(play(rules, [at((1, 100, 45))] * 3, start=1)) == 1


def test_a_box_that_trembles_on_the_border_tells_nothing():
    rules = Rules(Regions((LEFT_HALF, MIDDLE)), LABELS)
    steady = play(rules, [at((1, 90, 50))] * 3)
    assert told(steady) == ["car 1 appeared in left half"]
    assert not play(rules, [at((1, 104 if odd else 96, 50)) for odd in [1, 0] * 6], start=1)


def test_a_box_that_is_missed_for_a_second_has_not_left_one_missed_for_two_has():
    rules = Rules(Regions((LEFT_HALF,)), LABELS)
    play(rules, [at((1, 50, 50))] * 3)
    assert not play(rules, [at()] * 5 + [at((1, 50, 50))], start=0.6)
    assert told(play(rules, [at()] * 10, start=2.0)) == ["car 1 left left half after 1.6 s"]


def test_crossing_has_a_direction_and_is_counted_once_by_class():
    rules = Rules(Regions((MIDDLE,)), LABELS)
    there = play(rules, [at((3, x, 50)) for x in range(150, 50, -10)])
    back = play(rules, [at((3, x, 50)) for x in range(50, 150, 10)], start=5)
    assert told(there + back) == ["car 3 crossed middle, in", "car 3 crossed middle, out"]
    assert (rules.tallies["middle"].entered, rules.tallies["middle"].out) == ({0: 1}, {0: 1})


def test_one_who_jumps_over_the_line_between_two_detections_has_crossed_it():
    """Three detections a second: a car is on one side, then far on the other."""
    rules = Rules(Regions((MIDDLE,)), LABELS)
    assert told(play(rules, [at((3, x, 50)) for x in (190, 120, 20, 5)])) == ["car 3 crossed middle, in"]


def test_one_who_passes_beyond_the_ends_of_a_line_has_not_crossed_it():
    rules = Rules(Regions((Line("short", (0.5, 0.4), (0.5, 0.2)),)), LABELS)
    assert not play(rules, [at((3, x, 90)) for x in range(150, 50, -10)])


def test_boxes_without_a_track_are_nobody():
    rules = Rules(Regions((LEFT_HALF, MIDDLE)), LABELS)
    assert not play(rules, [at((-1, x, 50), (-1, x + 9, 50)) for x in (20, 20, 20, 150, 150, 150)])
    untracked = at((1, 50, 50))
    untracked = Detections(untracked.boxes, untracked.scores, untracked.class_ids)
    assert not play(rules, [untracked] * 5, start=9)


def test_classes_of_a_model_that_was_just_let_go_are_nobody():
    rules = Rules(Regions((LEFT_HALF,)), LABELS)
    assert not play(rules, [at((1, 50, 50), class_id=79)] * 3)


def test_counts_are_by_class_and_a_wavering_class_is_what_it_mostly_was():
    rules = Rules(Regions((LEFT_HALF,)), LABELS)
    frames = [at((1, 50, 50)), at((1, 50, 50)), at((1, 50, 50), class_id=1), at((1, 50, 50))]
    play(rules, frames)
    play(rules, [at((1, 50, 50), (2, 70, 60))] * 2, start=1)
    tally = rules.tallies["left half"]
    assert (tally.now, tally.entered) == ({0: 2}, {0: 2})
    left = rules.finish()
    assert [event.label for event in left] == ["car", "car"]
    assert (tally.now, tally.out) == ({}, {0: 2})
    assert tally.dwell[0] == pytest.approx(1.2 + 0.2)


def test_when_time_goes_back_everybody_has_left():
    rules = Rules(Regions((LEFT_HALF,)), LABELS)
    play(rules, [at((1, 50, 50))] * 3, start=60)
    assert told(play(rules, [at((1, 50, 50))], start=0)) == ["car 1 left left half after 0.4 s"]
    assert not rules.tallies["left half"].now


def test_another_size_of_the_picture_keeps_zones_where_they_are():
    rules = Rules(Regions((LEFT_HALF,)), LABELS)
    big = at((1, 450, 500))
    assert [event.size for event in rules.see(0, (1000, 1000), big) + rules.see(1, (1000, 1000), big)] == [
        (1000, 1000)
    ]


def test_a_line_of_json_holds_what_happened_and_no_more():
    rules = Rules(Regions((LEFT_HALF, MIDDLE)), LABELS)
    appeared, *_ = play(rules, [at((7, 50, 50))] * 2)
    assert appeared.to_json() == {
        "event": "appeared", "place": "left half", "time": 0.2, "track": 7, "class": "car", "class_id": 0,
        "score": 0.9, "box": [45.0, 30.0, 55.0, 50.0], "width": 200, "height": 100,
    }  # fmt: skip
