"""Watching a camera: what it does is said, a pause stands still though it is read on, pictures stay fresh."""

import logging
import threading
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from app.pipeline import Choice
from app.sources import open_source
from tests.app.videos import eventually
from tests.app.watching import SquareFinder, Watching, number, seen


def test_a_stalled_stream_is_said_and_keeps_its_last_picture(clip: Path, rtsp: ModuleType):
    with (
        rtsp.RtspServer(clip, stall_after=0.5) as server,
        Watching(open_source(server.url)) as watching,
    ):
        view = watching.until(lambda view: seen(view, "STALLED"))
        assert view.frame is not None and view.silent_for > 1.0
        assert "sends no pictures" in view.status.sentence
        view = watching.until(lambda view: seen(view, "RECONNECTING"))
        assert view.frame is not None and view.status.retry_in
        watching.pipeline.try_now()
        watching.until(lambda view: seen(view, "LIVE") and view.silent_for < 1.0)


def test_a_paused_stream_stands_still_but_is_read_on(clip: Path, rtsp: ModuleType):
    engine = SquareFinder()
    with (
        rtsp.RtspServer(clip) as server,
        Watching(
            open_source(server.url), open_engine=lambda: engine, choice=Choice(min_score=0.5, nms_iou=0.9)
        ) as watching,
    ):
        watching.until(lambda view: len(view.detections))
        watching.pipeline.set_paused(True)
        still = watching.until(lambda view: view.own_boxes or engine.asked[-1][0] > view.frame.sequence)
        assert still.frame
        asked = len(engine.asked)
        assert eventually(lambda: len(engine.asked) > asked + 5)  # the detector goes on
        watching.pipeline.choose(Choice(min_score=0.5, nms_iou=0.3))
        answered = watching.until(lambda view: view.own_boxes and len(view.detections) == 1)
        assert answered.frame is still.frame and answered.paused
        assert np.abs(answered.detections.boxes[0][0] - 4 * number(answered) % 176) <= 2
        watching.pipeline.set_paused(False)
        watching.until(lambda view: view.frame.sequence > still.frame.sequence + 3)


def test_a_live_picture_is_shown_fresh_while_the_detector_takes_its_time(clip: Path, rtsp: ModuleType):
    gate = threading.Event()
    with (
        rtsp.RtspServer(clip) as server,
        Watching(open_source(server.url), open_engine=lambda: SquareFinder(gate)) as watching,
    ):
        watching.until(lambda view: number(view) >= 30)  # the detector is still at its first frame
        assert not len(watching.pipeline.latest().detections)
        gate.set()


def test_what_happens_to_a_source_is_logged_once_without_its_password(
    rtsp: ModuleType, clip: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    with (
        rtsp.RtspServer(clip, auth="cam:hunter2") as server,
        Watching(open_source(server.url.replace("//", "//cam:hunter2@"))) as watching,
    ):
        watching.until(lambda view: view.frame)
    assert "hunter2" not in caplog.text
    assert len([record for record in caplog.records if record.name == "app.pipeline.live"]) == 1


def test_a_camera_that_is_away_for_weeks_does_not_fill_the_log(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    with Watching(open_source("rtsp://127.0.0.1:1/live")) as watching:
        for _ in range(3):
            made_at = watching.until(lambda view: seen(view, "RECONNECTING")).status.made_at
            watching.pipeline.try_now()
            watching.until(
                lambda view, made_at=made_at: seen(view, "RECONNECTING") and view.status.made_at > made_at
            )
    assert len(caplog.records) == 1 and "refused" in caplog.text
