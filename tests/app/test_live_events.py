"""Events of a live source, from the pipeline's own thread to whoever is told."""

import threading
from typing import Any

import numpy as np

from app.events import Regions, Zone
from app.events.live_events import LiveEvents
from app.pipeline import Choice
from app.sources import open_source
from app.tracking.identities import wait_for_library
from detector.values import Detections, Frame
from tests.app.videos import eventually, write_video
from tests.app.watching import LABELS, SquareFinder, Watching

WHOLE = Zone("whole", ((0, 0), (1, 0), (1, 1), (0, 1)))


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
