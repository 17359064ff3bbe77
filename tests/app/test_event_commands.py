"""Zones and lines without a window: `detect` on files, `record` on what goes on."""

import json
from pathlib import Path

import pytest

from app.events import Line, Regions, Zone, read_regions
from app.events.actions import open_action
from app.events.event_log import EventLog
from app.events.sink import EventSink
from app.outputs import jobs_for
from app.pipeline import Choice
from app.pipeline.batch import Batch
from tests.app.outputs import lines_of
from tests.app.test_event_log import python
from tests.app.videos import write_video
from tests.app.watching import LABELS, SquareFinder

REGIONS = Regions(
    (
        Zone("right", ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))),
        Line("middle", (0.5, 1.0), (0.5, 0.0)),
    )
)


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    path = tmp_path / "zones.json"
    path.write_text(json.dumps(REGIONS.to_json()))
    return path


def test_a_square_that_crosses_a_film_is_told_once_in_each_film(tmp_path, zones):
    """It moves by 4 pixels a frame from left to right: over the middle of 192 at frame 22, never back."""
    (tmp_path / "films").mkdir()
    for name in ("a.mp4", "b.mp4"):
        write_video(tmp_path / "films" / name, 42)
    log = EventLog(tmp_path / "events.jsonl", LABELS, live=False)
    sink = EventSink(read_regions(zones), LABELS, log, min_score=0.5)
    jobs = jobs_for([str(tmp_path / "films")], start=0, record=None, labels=LABELS, force=False)
    Batch(jobs, SquareFinder(), Choice(), sinks=[sink], batch=4).run()
    told = [(line["source"], line["event"], line["place"]) for line in lines_of(tmp_path / "events.jsonl")]
    whole = [("crossed", "middle"), ("appeared", "right"), ("left", "right")]
    assert told == [(name, *event) for name in ("a.mp4", "b.mp4") for event in whole]
    crossed = lines_of(tmp_path / "events.jsonl")[0]
    assert crossed["direction"] == "out" and crossed["time"] == pytest.approx(0.9, abs=0.1)
    assert Path(crossed["picture"]).is_file()


def test_all_actions_of_a_file_are_carried_out_before_it_ends(tmp_path, zones):

    write_video(tmp_path / "clip.mp4", 42)
    told = tmp_path / "told"
    action = open_action(python(f"import sys; open({str(told)!r}, 'a').write(sys.stdin.read())"))
    log = EventLog(None, LABELS, action=action, live=False)
    jobs = jobs_for([str(tmp_path / "clip.mp4")], start=0, record=None, labels=LABELS, force=False)
    sink = EventSink(REGIONS, LABELS, log, min_score=0.5)
    Batch(jobs, SquareFinder(), Choice(), sinks=[sink]).run()
    assert [line["event"] for line in lines_of(told)] == ["crossed", "appeared", "left"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--zones", "{zones}"], "--zones needs --events"),
        (["--events", "e.jsonl"], "need --zones"),
        (["--zones", "none.json", "--events", "e.jsonl"], "none.json cannot be read"),
        (["--zones", "{zones}", "--on-event", "no-such-program"], "no command 'no-such-program'"),
        (["--zones", "{zones}", "--events", "none/e.jsonl"], "cannot be written"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_looked_at(coco_home, detect, zones, arguments, said):
    code, _, words = detect(coco_home / "blank.png", *(text.format(zones=zones) for text in arguments))
    assert code in (1, 2) and said in words and len(words.splitlines()) == 1


def test_detect_tells_what_happens_on_a_real_film(detect, walk, zones, tmp_path):
    code, _, words = detect(
        walk, "--zones", zones, "--events", tmp_path / "events.jsonl", "--max-frames", 220, "--quiet"
    )
    assert code == 0, words
    events = lines_of(tmp_path / "events.jsonl")
    assert {"appeared", "left"} <= {event["event"] for event in events}
    assert all(Path(event["picture"]).is_file() for event in events)
    assert all(event["class"] for event in events)
