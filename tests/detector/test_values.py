"""The values that travel: checked once when made, never changed after, filtered without loss."""

import numpy as np
import pytest

from detector.errors import OptionError
from detector.values import Detections, Frame, LabelMap

SCORES = np.float32([0.9, 0.5, 0.5, 0.1])


def four() -> Detections:
    boxes = np.arange(16, dtype=np.float32).reshape(4, 4)
    ids = np.int32([7, -1, 8, 9])
    return Detections(boxes, SCORES.copy(), np.int32([0, 1, 0, 2]), track_ids=ids, anchor_ids=ids + 1)


def test_a_value_cannot_be_changed_in_place() -> None:
    frame, found = Frame(np.zeros((4, 6, 3), np.uint8)), four()
    for array in (frame.pixels, found.boxes, found.scores, found.class_ids, found.track_ids):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 6), np.uint8), np.zeros((4, 6, 4), np.uint8), np.zeros((4, 6, 3), np.float32)]
)
def test_a_frame_is_three_channels_of_8_bits(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="a frame is"):
        Frame(pixels)


def test_height_comes_before_width() -> None:
    frame = Frame(np.zeros((4, 6, 3), np.uint8))
    assert (frame.height, frame.width) == (4, 6)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("boxes", np.zeros((3, 4), np.float32)),
        ("boxes", np.zeros((4, 4), np.float64)),
        ("class_ids", np.zeros(4, np.int64)),
        ("track_ids", np.zeros(3, np.int32)),
        ("anchor_ids", np.zeros(4, np.float32)),
        ("scores", np.float32([0.1, 0.5, 0.5, 0.9])),
    ],
)
def test_detections_of_a_wrong_shape_type_or_order_are_refused(field: str, wrong: np.ndarray) -> None:
    names = ("boxes", "scores", "class_ids", "track_ids", "anchor_ids")
    with pytest.raises(ValueError, match=field):
        Detections(**{name: getattr(four(), name) for name in names} | {field: wrong})


@pytest.mark.parametrize(
    ("min_score", "count"), [(0.0, 4), (0.1, 4), (0.11, 3), (0.5, 3), (0.9, 1), (0.95, 0)]
)
def test_a_minimum_score_keeps_what_has_at_least_as_much(min_score: float, count: int) -> None:
    kept = four().above(min_score)
    assert len(kept) == count
    assert kept.boxes.tolist() == four().boxes[:count].tolist()


def test_what_is_chosen_keeps_its_order_and_all_its_ids() -> None:
    kept = four().of_classes({0, 2})
    assert kept.class_ids.tolist() == [0, 0, 2] and kept.scores.tolist() == SCORES[[0, 2, 3]].tolist()
    assert kept.track_ids.tolist() == [7, 8, 9] and kept.anchor_ids.tolist() == [8, 9, 10]
    assert len(four().of_classes(())) == 0 == len(Detections.empty())


def test_detections_are_one_value_that_nobody_walks_along_by_mistake() -> None:
    with pytest.raises(TypeError, match="zip its arrays"):
        list(four())


def test_a_misspelt_class_is_answered_with_the_nearest() -> None:
    labels = LabelMap(("person", "car"))
    assert labels.class_ids(["car", "person"]) == (1, 0) and labels[1] == "car" and len(labels) == 2
    with pytest.raises(OptionError, match="no class 'persn'; did you mean 'person'"):
        labels.class_id("persn")
    with pytest.raises(OptionError, match="it knows person, car"):
        labels.class_id("x")


def test_supervision_is_given_copies_of_its_own() -> None:
    given = four().to_supervision()
    given.xyxy[:] = 0
    assert given.class_id.tolist() == four().class_ids.tolist()
    assert given.tracker_id.tolist() == four().track_ids.tolist()
    assert four().to_supervision().xyxy.tolist() == four().boxes.tolist()
