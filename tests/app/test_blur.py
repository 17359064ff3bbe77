"""Blurring: what was chosen cannot be recognised, and in doubt more is blurred than less."""

import numpy as np
import pytest

from app.blur import Blur
from detector.values import Detections, Frame, LabelMap

LABELS = LabelMap(("person", "car"))


def frame(pts: float) -> Frame:
    random = np.random.default_rng(5)
    return Frame(random.integers(0, 256, (200, 300, 3), np.uint8), round(pts * 25), pts)


def one(box: tuple[float, float, float, float], *, score: float = 0.9, class_id: int = 0) -> Detections:
    return Detections(np.float32([box]), np.float32([score]), np.int32([class_id]))


def hidden(before: Frame, after: Frame, box: tuple[int, int, int, int]) -> float:
    """Share of the pixels in a box of which nothing can be seen any more; noise leaves no doubt."""
    x1, y1, x2, y2 = box
    place, shown = before.pixels[y1:y2, x1:x2], after.pixels[y1:y2, x1:x2]
    return float((np.abs(place.astype(int) - shown).max(2) > 0).mean())


BOX = (100, 50, 180, 150)
INSIDE, OUTSIDE = (100, 50, 180, 150), (0, 0, 80, 200)


def test_an_object_is_blurred_with_a_margin_and_the_rest_left_as_it_is() -> None:
    before = frame(0.0)
    after = Blur(["person"]).apply(before, one(BOX), LABELS)
    assert hidden(before, after, INSIDE) > 0.99
    assert hidden(before, after, (93, 45, 187, 155)) > 0.99
    assert hidden(before, after, OUTSIDE) == 0
    assert after.pixels[60:140, 110:170].std() < before.pixels[60:140, 110:170].std() / 4
    assert (after.sequence, after.pts) == (before.sequence, before.pts)


def test_other_classes_are_not_blurred_and_mere_suspicions_are() -> None:
    before = frame(0.0)
    assert hidden(before, Blur(["person"]).apply(before, one(BOX, class_id=1), LABELS), INSIDE) == 0
    assert hidden(before, Blur(["person"]).apply(before, one(BOX, score=0.2), LABELS), INSIDE) > 0.99


def test_before_the_first_answer_everything_is_blurred() -> None:
    before = frame(0.0)
    assert hidden(before, Blur(["person"]).apply(before, None, LABELS), (0, 0, 300, 200)) > 0.99


def test_without_an_answer_the_places_before_stay_blurred_and_grow() -> None:
    blur = Blur(["person"])
    blur.apply(frame(0.0), one(BOX), LABELS)
    shares = [
        hidden(frame(pts), blur.apply(frame(pts), None, LABELS), (0, 0, 300, 200))
        for pts in (0.04, 0.08, 5.0)
    ]
    assert 0.2 < shares[0] < shares[1] < shares[2]


@pytest.mark.parametrize("step", [0.0, 0.0001, 0.04])
def test_a_thousand_frames_without_an_answer_keep_everything_hidden(step: float) -> None:
    blur = Blur(["person"])
    blur.apply(frame(0.0), one(BOX), LABELS)
    for number in range(1, 1001):
        before = frame(number * step)
        after = blur.apply(before, None, LABELS)
        if number % 50 == 0:
            assert hidden(before, after, (0, 0, 300, 200)) > 0.99
        assert hidden(before, after, INSIDE) > 0.99


def test_where_nobody_was_found_everything_is_blurred_once_answers_stay_away() -> None:
    blur = Blur(["person"])
    blur.apply(frame(0.0), Detections.empty(), LABELS)
    assert hidden(frame(0.1), blur.apply(frame(0.1), None, LABELS), (0, 0, 300, 200)) == 0
    assert hidden(frame(0.6), blur.apply(frame(0.6), None, LABELS), (0, 0, 300, 200)) > 0.99


def test_boxes_that_were_carried_from_an_older_frame_are_grown_by_their_age() -> None:
    def share(age: float) -> float:
        after = Blur(["person"]).apply(frame(0.0), one(BOX), LABELS, age=age)
        return hidden(frame(0.0), after, (0, 0, 300, 200))

    assert share(0.0) < share(0.5) < share(1.0)


def test_a_detector_that_flickers_shows_nobody() -> None:
    blur = Blur(["person"])
    blur.apply(frame(0.0), one(BOX), LABELS)
    missed = blur.apply(frame(0.2), Detections.empty(), LABELS)
    assert hidden(frame(0.2), missed, INSIDE) > 0.99
    left = blur.apply(frame(2.0), Detections.empty(), LABELS)
    assert hidden(frame(2.0), left, INSIDE) == 0


def test_a_model_that_does_not_know_the_class_leaves_everything_blurred() -> None:
    before = frame(0.0)
    after = Blur(["face"]).apply(before, Detections.empty(), LABELS)
    assert hidden(before, after, (0, 0, 300, 200)) > 0.99


def test_another_size_begins_anew() -> None:
    blur = Blur(["person"])
    blur.apply(frame(0.0), one(BOX), LABELS)
    small = Frame(np.random.default_rng(5).integers(0, 256, (100, 150, 3), np.uint8), 1, 0.04)
    assert hidden(small, blur.apply(small, None, LABELS), (0, 0, 150, 100)) > 0.99


@pytest.mark.parametrize("box", [(-50, -50, 20, 20), (290, 190, 400, 400), (10, 10, 10.2, 10.2)])
def test_boxes_at_the_edge_or_thin_as_a_hair_do_no_harm(box: tuple[float, float, float, float]) -> None:
    after = Blur(["person"]).apply(frame(0.0), one(box), LABELS)
    assert after.pixels.shape == (200, 300, 3)
