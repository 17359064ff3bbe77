"""The figures of a live view against counting by hand; time is given, not measured."""

import numpy as np
import pytest

from app.pipeline.figures import Measure, Recent
from detector.values import Frame


def frame(sequence: int, at: float, value: int | None = None) -> Frame:
    return Frame(np.full((36, 64, 3), sequence if value is None else value, np.uint8), sequence, at, at)


def test_rates_count_the_last_two_seconds_and_fall_to_zero():
    measure = Measure()
    for number in range(100):
        measure.captured(frame(number, 10 + number * 0.04))
    assert measure.figures(14.0).captured == pytest.approx(25, abs=0.5)
    assert measure.figures(15.0).captured == pytest.approx(12.5, abs=0.5)
    assert measure.figures(17.0).captured == 0.0


def test_a_rate_is_right_before_two_seconds_are_over():
    measure = Measure()
    for number in range(25):
        measure.captured(frame(number, 10 + number * 0.04))
    assert measure.figures(11.0).captured == pytest.approx(25, abs=1)


def test_a_repeated_picture_is_captured_but_not_unique():
    measure = Measure()
    for number in range(50):
        measure.captured(frame(number, 10 + number * 0.04, value=number // 2))
    assert measure.figures(12.0).captured == pytest.approx(25, abs=0.5)
    assert measure.figures(12.0).unique == pytest.approx(12.5, abs=0.5)


def test_a_second_detection_of_one_frame_counts_once():
    measure = Measure()
    for number in range(10):
        now = 10 + number * 0.1
        measure.detected(number // 2, 0.05, now, left_out=0)
    assert measure.figures(11.0).detected == 5.0


def test_frames_never_detected_and_never_shown_are_counted():
    measure = Measure()
    for number in range(10):
        measure.captured(frame(number, 10 + number * 0.04))
    measure.detected(0, 0.1, 10.2, left_out=0)
    measure.detected(7, 0.1, 10.4, left_out=6)
    for sequence in (0, 1, 1, 4, 9):
        measure.shown(sequence, 10.5, None)
    assert measure.figures(10.6).undetected == 6
    assert measure.figures(10.6).unshown == 2 + 4  # 2, 3 and 5, 6, 7, 8


def test_the_age_is_from_arrival_to_painting():
    measure = Measure()
    for number in range(20):
        measure.captured(frame(number, 10 + number * 0.04))
        late = 0.2 if number == 19 else 0.01
        measure.shown(number, 10 + number * 0.04 + late, boxes_arrived=9.5 + number * 0.04)
    age, box_age = measure.figures(11.0).age_ms, measure.figures(11.0).box_age_ms
    assert age == pytest.approx((10, 10)) and box_age == pytest.approx((510, 510))
    measure.captured(frame(20, 10.8))
    measure.shown(20, 11.0, None)
    assert measure.figures(11.0).age_ms == pytest.approx((10, 200))  # two of twenty-one


def test_a_gap_is_remembered_for_a_minute_but_a_pause_is_none():
    measure = Measure()
    measure.captured(frame(0, 10.0))
    measure.captured(frame(1, 13.0))
    measure.interrupted()
    measure.captured(frame(2, 33.0))
    measure.captured(frame(3, 33.5))
    assert measure.figures(34.0).gap == 3.0
    assert measure.figures(80.0).gap == 0.5


def test_silence_is_measured_from_the_last_frame_against_the_usual_interval():
    measure = Measure()
    assert measure.silence(5.0) == (0.0, 0.0)
    for number in range(20):
        measure.captured(frame(number, 10.0 + number * 0.5))
    measure.captured(frame(20, 22.0))  # one long wait is not usual
    assert measure.silence(24.0) == pytest.approx((2.0, 0.5))


def test_what_is_written_is_counted_by_what_is_on_the_disk():
    measure = Measure()
    for number in range(40):
        measure.written(2 * number, 10.0 + number * 0.1)
    assert measure.figures(14.0).written == pytest.approx(20, abs=0.5)
    for number in range(30):  # nothing more comes to the disk
        measure.written(78, 14.0 + number * 0.1)
    assert measure.figures(17.0).written == 0.0
    measure.written(3, 17.1)  # another recording
    assert measure.figures(17.1).written == 0.0


def test_percentiles_are_those_of_the_values_in_the_window():
    recent = Recent(5.0)
    for number in range(100):
        recent.add(10.0 + number * 0.01, number)
    assert recent.median_and_p95(11.0) == (49, 94)
    recent.add(18.0, 7)
    assert recent.median_and_p95(18.0) == (7, 7)
    assert recent.median_and_p95(30.0) is None
