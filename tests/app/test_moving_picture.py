"""The demonstration: a photograph that every installation has, as a film."""

import numpy as np
import pytest

from app.sources import DEMO, State, Status, open_source
from detector.values import Frame


@pytest.fixture(scope="module")
def whole() -> list[Frame | Status]:
    return list(open_source(DEMO))


def test_it_plays_a_round_of_24_seconds_and_says_when_it_ends(whole: list[Frame | Status]) -> None:
    frames = [item for item in whole if isinstance(item, Frame)]
    assert [frame.sequence for frame in frames] == list(range(600))
    assert frames[-1].pts == pytest.approx(24 - 1 / 25)
    assert [item.state for item in whole if isinstance(item, Status)] == [
        State.CONNECTING,
        State.LIVE,
        State.ENDED,
    ]


def test_its_end_leads_to_its_beginning(whole: list[Frame | Status]) -> None:
    frames = [item.pixels.astype(float) for item in whole if isinstance(item, Frame)]
    neighbours = np.abs(frames[1] - frames[0]).mean()
    across = np.abs(frames[300] - frames[0]).mean()
    assert np.abs(frames[-1] - frames[0]).mean() < 2 * neighbours + 1 < across


def test_a_seek_gives_the_same_frame_as_playing_up_to_it(whole: list[Frame | Status]) -> None:
    source = open_source(DEMO)
    source.seek(10.0)
    frame = next(item for item in source if isinstance(item, Frame))
    played = next(item for item in whole if isinstance(item, Frame) and item.pts == frame.pts)
    assert frame.pts == 10.0
    assert np.array_equal(frame.pixels, played.pixels)
