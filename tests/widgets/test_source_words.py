"""Each state of a source in words."""

from dataclasses import replace

import numpy as np
import pytest

from app.pipeline import LivePipeline, View
from app.sources import FoundCamera, Mode, State, Status, open_source
from detector.values import Frame
from widgets.source_words import camera_words, card_words


@pytest.fixture
def view() -> View:
    """Ten seconds after the last picture, at the monotonic time 100."""
    pipeline = LivePipeline(open_source("rtsp://10.0.0.5/live"))
    frame = Frame(np.zeros((9, 16, 3), np.uint8))
    return replace(pipeline.latest(), frame=frame, silent_for=10.0)


def said(view: View, state: State, *, retry_in: float | None = None) -> str:
    status = Status(state, "The reason", retry_in, made_at=98.0)
    words = card_words(replace(view, status=status), now=100.0)
    return f"{words.title}: {words.sentence}" if words else ""


@pytest.mark.parametrize(
    ("state", "retry_in", "words"),
    [
        (State.CONNECTING, None, "Connecting: The reason.\nLast picture 10 s ago."),
        (State.LIVE, None, ""),
        (State.STALLED, None, "Stalled: The reason.\nLast picture 10 s ago."),
        (State.RECONNECTING, 6.0, "Reconnecting in 4 s: The reason.\nLast picture 10 s ago."),
        (
            State.WRONG_PASSWORD,
            302.0,
            "Wrong password: The reason.\nLast picture 10 s ago.\nReconnecting in 5:00.",
        ),
        (State.NOT_FOUND, 30.0, "Not found: The reason.\nLast picture 10 s ago.\nReconnecting in 28 s."),
        (State.CRASHED, 4.0, "Crashed: The reason.\nLast picture 10 s ago.\nReconnecting in 2 s."),
        (State.CRASHED, None, "Crashed: The reason.\nLast picture 10 s ago."),
        (State.ENDED, None, ""),
        (State.FAILED, None, "This cannot be shown: The reason.\nLast picture 10 s ago."),
    ],
)
def test_a_state_is_said_with_its_reason_the_age_of_the_picture_and_what_comes_next(
    view: View, state: State, retry_in: float | None, words: str
):
    assert said(view, state, retry_in=retry_in) == words


def test_a_reason_that_asks_ends_with_its_own_mark(view: View):
    words = card_words(replace(view, frame=None, status=Status(State.STALLED, "Is it on?")), now=100.0)
    assert words and words.sentence == "Is it on?"


def test_without_a_picture_no_age_is_said(view: View):
    assert said(replace(view, frame=None), State.CONNECTING) == "Connecting: The reason."


@pytest.mark.parametrize(
    ("modes", "words"),
    [
        (0, "Camera 2"),
        (1, "1280 × 720 MJPG, 30/s"),
        (2, "1280 × 720 MJPG, 30/s and one other mode"),
        (3, "1280 × 720 MJPG, 30/s and 2 other modes"),
    ],
)
def test_a_camera_is_offered_by_name_and_what_it_can_do(modes: int, words: str):
    some = (Mode(1280, 720, 30, "MJPG"), Mode(640, 480, 30, "MJPG"), Mode(640, 480, 30, "YUYV"))
    camera = FoundCamera("2", "HD Webcam", some[:modes])
    assert camera_words(camera) == ("HD Webcam", words, "2")
