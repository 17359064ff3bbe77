"""The rate over a training, at points worked out by hand."""

import pytest

from trainer.fitting import Length
from trainer.schedule import Schedule


def test_the_rate_rises_evenly_over_the_first_steps() -> None:
    schedule = Schedule(warm_up_steps=4, shape="constant")
    assert [schedule.share(step, 0.0) for step in range(6)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1])


def test_cosine_falls_along_half_a_wave() -> None:
    schedule = Schedule(warm_up_steps=0, shape="cosine", last=0.1)
    assert [schedule.share(9, progress) for progress in (0, 0.5, 1)] == pytest.approx([1, 0.55, 0.1])


def test_multistep_falls_where_the_paper_lets_it_fall() -> None:
    schedule = Schedule(warm_up_steps=0, shape="multistep")
    points = [step / 120_000 for step in (0, 79_999, 80_000, 99_999, 100_000)]
    assert [schedule.share(9, point) for point in points] == pytest.approx([1, 1, 0.1, 0.1, 0.01])


def test_a_time_budget_keeps_room_for_the_last_evaluation() -> None:
    length = Length(seconds=100)
    assert [length.progress(0, seconds, 20) for seconds in (0, 40, 80, 99)] == pytest.approx([0, 0.5, 1, 1])
    assert Length(steps=10).progress(5, 1e9, 1e9) == 0.5
