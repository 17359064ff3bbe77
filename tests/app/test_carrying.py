"""Boxes between two detections: on their objects, cut at the edges, the same number for the same object."""

import cv2
import numpy as np
import pytest

from app.tracking import Carrying, identities
from app.tracking.motion import FieldFinder, moved, small_gray
from detector.values import Detections, Frame
from tests.app.videos import eventually

WIDTH, HEIGHT, SIDE = 640, 360, 60


def scene(*corners: tuple[float, float]) -> Frame:
    """A patterned ground with a patterned square at each corner given."""
    randomness = np.random.default_rng(7)
    ground = cv2.GaussianBlur(randomness.integers(60, 120, (HEIGHT, WIDTH, 3), np.uint8), (0, 0), 2)
    square = cv2.GaussianBlur(randomness.integers(0, 255, (SIDE, SIDE, 3), np.uint8), (0, 0), 3)
    padded = np.full((HEIGHT + 4 * SIDE, WIDTH + 4 * SIDE, 3), 0, np.uint8)
    padded[2 * SIDE : -2 * SIDE, 2 * SIDE : -2 * SIDE] = ground
    for x, y in corners:
        left, top = round(x) + 2 * SIDE, round(y) + 2 * SIDE
        padded[top : top + SIDE, left : left + SIDE] = cv2.normalize(square, None, 0, 255, cv2.NORM_MINMAX)
    return Frame(padded[2 * SIDE : -2 * SIDE, 2 * SIDE : -2 * SIDE].copy())


def around(*corners: tuple[float, float], score: float = 0.9) -> Detections:
    boxes = np.float32([[x, y, x + SIDE, y + SIDE] for x, y in corners]).reshape(-1, 4)
    boxes = boxes.clip(0, np.float32([WIDTH, HEIGHT, WIDTH, HEIGHT]))
    return Detections(boxes, np.full(len(boxes), score, np.float32), np.zeros(len(boxes), np.int32))


@pytest.fixture(scope="module")
def tracker() -> None:
    """The library that knows objects again has been loaded."""
    identities.Identities()
    assert eventually(lambda: bool(identities._libraries), 60)


def test_a_box_moves_with_what_is_in_it():
    before, after = scene((100, 100)), scene((108, 95))
    field = FieldFinder().field(small_gray(before.pixels), small_gray(after.pixels))
    boxes = np.float32([[100, 100, 160, 160], [400, 200, 460, 260]])
    expected = [[108, 95, 168, 155], [400, 200, 460, 260]]
    assert moved(boxes, field, (HEIGHT, WIDTH)) == pytest.approx(np.float32(expected), abs=1.5)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2000, 1), (1, 2000), (1920, 1080)])
def test_pictures_of_any_shape_are_carried_through(height: int, width: int):
    carrying = Carrying()
    pixels = np.random.default_rng(3).integers(0, 255, (height, width, 3), np.uint8)
    for number in range(3):
        carrying.saw(Frame(pixels), number, follows=number > 0)
    whole = Detections(np.float32([[0, 0, width, height]]), np.float32([0.9]), np.int32([0]))
    carrying.found(whole, 0, 0.0, min_score=0.5)
    assert carrying.at(2).boxes == pytest.approx(whole.boxes, abs=1e-2)  # type: ignore[union-attr]


def test_an_answer_that_comes_late_is_led_through_all_that_happened_meanwhile():
    carrying, number = Carrying(), 0
    for number in range(15):
        carrying.saw(scene((100 + 10 * number, 100 + 4 * number)), number, follows=number > 0)
    carrying.found(around((100, 100)), 0, 0.0, min_score=0.5)
    carried = carrying.at(number)
    assert carried is not None
    assert carried.boxes[0] == pytest.approx([240, 156, 300, 216], abs=6)  # 0.4 pixels a frame
    carrying.saw(scene((250, 160)), 15, follows=True)
    assert carrying.at(15).boxes[0] == pytest.approx([250, 160, 310, 220], abs=6)  # type: ignore[union-attr]


def test_a_box_is_cut_at_the_edge_and_gone_once_most_of_it_has_left():
    carrying, rights = Carrying(), []
    for number in range(12):
        carrying.saw(scene((555 + 10 * number, 100)), number, follows=number > 0)
        if number == 0:
            carrying.found(around((555, 100)), 0, 0.0, min_score=0.5)
        carried = carrying.at(number)
        assert carried is not None
        rights.append(carried.boxes[0, 2] if len(carried) else None)
    assert rights[0] == 615 and rights[4] == WIDTH and rights[-1] is None


def test_nothing_is_carried_over_a_cut():
    carrying = Carrying()
    carrying.saw(scene((100, 100)), 0, follows=False)
    carrying.found(around((100, 100)), 0, 0.0, min_score=0.5)
    carrying.saw(scene((300, 100)), 1, follows=False)
    assert carrying.at(1) is None
    answer = carrying.found(around((100, 100)), 0, 0.0, min_score=0.5)  # comes after the cut
    assert len(answer) == 1 and carrying.at(1) is None


def test_an_object_that_has_moved_by_more_than_itself_keeps_its_number(tracker: None):
    carrying, ids = Carrying(), []
    for number in range(30):
        fast, slow = (20 + 18.0 * number, 40), (500 - 2.0 * number, 250)
        carrying.saw(scene(fast, slow), number, follows=number > 0)
        if number % 6 == 0:  # 108 pixels further, squares are 60 wide
            found = carrying.found(around(fast, slow), number, number / 25, min_score=0.5)
            assert found.track_ids is not None
            ids.append(found.track_ids.tolist())
    assert ids[0] == [-1, -1]  # seen only once
    assert ids[1] == ids[2] == ids[-1] and set(ids[1]) == {0, 1}


def test_numbers_are_never_given_twice(tracker: None):
    carrying = Carrying()
    for run in range(2):
        for number in range(3):
            carrying.saw(scene((100, 100)), 3 * run + number, follows=number > 0)
            found = carrying.found(around((100, 100)), 3 * run + number, number / 25, min_score=0.5)
        assert found.track_ids is not None and found.track_ids.tolist() == [run]
        carrying.forget()


def test_a_weak_box_goes_on_with_a_track_but_begins_none(tracker: None):
    carrying = Carrying()
    ids = []
    for number, score in enumerate((0.4, 0.4, 0.6, 0.6, 0.3)):
        carrying.saw(scene((100, 100)), number, follows=number > 0)
        found = carrying.found(around((100, 100), score=score), number, number / 3, min_score=0.5)
        assert found.track_ids is not None
        ids += found.track_ids.tolist()
    assert ids == [-1, -1, -1, 0, 0]


def test_a_frame_looked_at_anew_keeps_its_numbers(tracker: None):
    carrying = Carrying()
    both = around((100, 100), (300, 200))
    for number in range(2):
        carrying.saw(scene((100, 100), (300, 200)), number, follows=number > 0)
        carrying.found(both, number, number / 3, min_score=0.5)
    again = carrying.found(both[1:], 1, 1 / 3, min_score=0.5)
    assert again.track_ids is not None and again.track_ids.tolist() == [1]
    assert len(carrying.at(1)) == 1  # type: ignore[arg-type]
