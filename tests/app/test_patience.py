"""When a silent source counts as stalled, and when as lost."""

import pytest

from app.sources.patience import Patience


def connected(interval: float, count: int = 20) -> Patience:
    """A connection whose pictures came at this distance; the last one at 0."""
    patience = Patience()
    patience.connecting(-interval * count)
    for number in range(count):
        patience.picture(-interval * (count - 1 - number))
    return patience


@pytest.mark.parametrize(
    ("interval", "stalled", "lost"),
    [(0.04, 1.0, 5.0), (0.5, 2.5, 5.0), (2.0, 10.0, 20.0)],
)
def test_slow_sources_may_be_silent_for_longer(interval: float, stalled: float, lost: float):
    patience = connected(interval)
    assert not patience.is_stalled(stalled - 0.01) and patience.is_stalled(stalled + 0.01)
    assert not patience.is_lost(lost - 0.01) and patience.is_lost(lost + 0.01)


def test_a_camera_lost_before_its_second_picture_gets_twice_the_time_and_no_more_than_a_minute():
    patience, allowed = Patience(), []
    for _ in range(6):
        patience.connecting(0.0)
        patience.picture(0.0)
        allowed.append(next(seconds for seconds in range(100) if patience.is_lost(seconds + 0.01)))
    assert allowed == [5, 10, 20, 40, 60, 60]


def test_a_usual_camera_is_given_up_as_early_as_ever_after_a_slow_start():
    patience = Patience()
    for _ in range(2):
        patience.connecting(0.0)
        patience.picture(0.0)
    for number in range(10):
        patience.picture(number / 25)
    patience.connecting(1.0)
    patience.alive(1.0)
    assert patience.is_lost(6.1)


def test_a_stream_without_a_key_frame_is_waited_for_while_something_comes():
    patience = Patience()
    patience.connecting(0.0)
    for second in range(30):
        patience.alive(float(second))
        assert not patience.is_lost(second + 0.9)
    patience.alive(36.0)
    assert patience.is_lost(36.1)


def test_opening_is_left_to_the_child_a_little_longer_than_it_needs_itself():
    patience = Patience()
    patience.connecting(0.0)
    assert not patience.is_lost(11.9) and patience.is_lost(12.1)
    assert not patience.is_stalled(12.0)  # it was never there
