"""Events of a live source, from the pipeline's own thread to whoever is told."""

import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from app.events import Event, Regions, Zone
from app.events.event_log import EventLog
from app.events.live_events import LiveEvents
from app.overlay import draw
from app.pipeline import Choice
from app.sources import open_source
from app.tracking.identities import wait_for_library
from detector.values import Detections, Frame, LabelMap
from tests.app.videos import eventually, write_video
from tests.app.watching import LABELS, SquareFinder, Watching

WHOLE = Zone("whole", ((0, 0), (1, 0), (1, 1), (0, 1)))
REGIONS = Regions((WHOLE,))
OTHER = LabelMap(("pear",))  # of another model


def sight(number: int, *track_ids: int, class_id: int = 0) -> tuple[Frame, Detections]:
    """A frame with an object for each id; from the second such frame on they have appeared."""
    count = len(track_ids)
    boxes = np.float32([[9 * each, 20, 9 * each + 40, 60] for each in track_ids])
    class_ids, scores = np.full(count, class_id, np.int32), np.full(count, 0.9, np.float32)
    found = Detections(boxes, scores, class_ids, np.int32(track_ids))
    return Frame(np.full((96, 192, 3), 90, np.uint8), number, number / 25), found


class Held:
    """Notes who has appeared, and does not return from the first time before it is let go."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.gate = threading.Event()

    def __call__(self, event: Event, picture: Path | None = None) -> None:
        self.seen.append((event.track_id, event.label, picture))
        assert self.gate.wait(30)


def test_what_the_pipeline_finds_becomes_an_event_and_a_count(tmp_path):
    wait_for_library()  # or the clip might be over before objects have numbers
    write_video(tmp_path / "clip.mp4", 40)
    told: list[Any] = []
    live = LiveEvents(lambda event, picture: told.append((event.kind, event.label, event.place, picture)))
    live.follow(Regions((WHOLE,)), LABELS)
    with Watching(open_source(str(tmp_path / "clip.mp4")), open_engine=SquareFinder) as watching:
        watching.pipeline.listen(live.offer)
        assert eventually(lambda: told, 20)
    assert told == [("appeared", "square", "whole", None)]
    assert live.tallies()["whole"].now == {0: 1}
    live.close()


def test_what_is_not_chosen_is_nobody(tmp_path):
    write_video(tmp_path / "clip.mp4", 50)
    seen: list[Detections] = []
    choice = Choice(min_score=0.95)
    with Watching(
        open_source(str(tmp_path / "clip.mp4")), open_engine=SquareFinder, choice=choice
    ) as watching:
        watching.pipeline.listen(lambda frame, found: seen.append(found))
        assert eventually(lambda: seen, 20)
    assert not any(len(found) for found in seen)


def test_whoever_offers_never_waits_for_one_who_is_told():
    """A listener that hangs; the frames come on, and memory stays bounded by what may wait."""
    hanging = threading.Event()
    live = LiveEvents(lambda event, picture: hanging.wait(30) and None)
    live.follow(Regions((WHOLE,)), LABELS)
    found = Detections(np.float32([[0, 0, 9, 9]]), np.float32([0.9]), np.int32([0]), np.int32([1]))
    for number in range(1000):
        live.offer(Frame(np.zeros((96, 192, 3), np.uint8), number, number / 25), found)
    assert len(live._belt._held) <= 8
    hanging.set()
    live.close()


def test_what_waits_to_be_followed_keeps_the_names_of_the_model_that_found_it():
    happened = Held()
    live = LiveEvents(lambda event, picture: None, happened=happened)
    live.follow(REGIONS, LABELS)
    for number, ids in enumerate([(1,), (1,), (1, 2), (1, 2)]):
        live.offer(*sight(number, *ids))
    assert eventually(lambda: happened.seen, 20)
    live.follow(REGIONS, OTHER)
    happened.gate.set()
    live.close(10)
    assert happened.seen == [(1, "square", None), (2, "square", None)]


def test_what_waits_to_be_drawn_keeps_the_names_of_the_model_that_found_it(tmp_path):
    wrote = Held()
    log = EventLog(tmp_path / "events.jsonl", LABELS, wrote=wrote)
    live = LiveEvents(lambda event, picture: None)
    live.keep(log)
    live.follow(REGIONS, LABELS)
    for number in range(2):
        live.offer(*sight(number, 1, 2, class_id=1))
    assert eventually(lambda: wrote.seen, 20)
    live.follow(REGIONS, OTHER)
    wrote.gate.set()
    live.close(10)
    assert log.close(10)
    frame, found = sight(1, 1, 2, class_id=1)
    (_, expected) = cv2.imencode(".jpg", draw(frame.pixels, found, LABELS))
    assert [picture.read_bytes() for _, _, picture in wrote.seen] == [expected.tobytes()] * 2


def test_a_log_that_is_closed_meanwhile_ends_nothing(tmp_path):
    happened, told = Held(), []
    log = EventLog(tmp_path / "events.jsonl", LABELS)
    live = LiveEvents(lambda event, picture: told.append(event.track_id), happened=happened)
    live.keep(log)
    live.follow(REGIONS, LABELS)
    for number, ids in enumerate([(1,), (1,), (1, 2), (1, 2)]):
        live.offer(*sight(number, *ids))
    assert eventually(lambda: happened.seen, 20)
    assert log.close(10)
    live.keep(None)
    happened.gate.set()
    assert eventually(lambda: told == [1, 2], 20)
    live.close(10)


def test_one_event_that_cannot_be_told_is_not_the_last(caplog):
    told: list[Any] = []

    def happened(event: Event) -> None:
        if event.track_id == 1:
            raise KeyError("odd")

    live = LiveEvents(lambda event, picture: told.append(event.track_id), happened=happened)
    live.follow(REGIONS, LABELS)
    for number, ids in enumerate([(1,), (1,), (1, 2), (1, 2)]):
        live.offer(*sight(number, *ids))
    assert eventually(lambda: told == [2], 20)
    live.close(10)
    assert "could not be told: KeyError" in caplog.text
