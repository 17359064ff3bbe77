"""Non-maximum suppression on the processor against plain loops, and against OpenCV where the rules agree."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detector.anchor_layouts import LAYOUTS
from detector.anchors import generate
from detector.box_coder import VARIANCES, encode
from detector.boxes import to_cxcywh
from detector.nms import CANDIDATES, nms, select
from tests.detector.plain_nms import float32_iou, plain_candidates, plain_nms

# Coordinates on a coarse grid give duplicates, equal overlaps, empty and reversed boxes by themselves; on the
# fine one no box is so small that its area leaves the range of float32, where the rules cease to be the same.
coordinates = st.one_of(
    st.integers(0, 8).map(lambda n: n / 8), st.integers(0, 2**23).map(lambda n: n / 2**23)
)
limits = st.sampled_from([0.0, 0.25, float(np.float32(1) / 3), 0.45, 0.5, 0.6, 1.0])


@st.composite
def crowds(draw):
    n = draw(st.integers(0, 14))
    boxes = draw(arrays(np.float32, (n, 4), elements=coordinates))
    if n and draw(st.booleans()):
        boxes = boxes[draw(arrays(np.int64, n, elements=st.integers(0, max(0, n // 3))))]  # many of the same
    scores = draw(arrays(np.float32, n, elements=st.sampled_from(np.float32([0.2, 0.5, 0.50001, 0.9]))))
    class_ids = draw(arrays(np.int32, n, elements=st.integers(0, 2)))
    return boxes, scores, class_ids


def test_a_box_is_only_suppressed_by_a_better_one_of_its_class():
    boxes = np.float32([[0, 0, 10, 10], [1, 0, 11, 10], [1, 0, 11, 10]])
    kept = nms(boxes, np.float32([0.9, 0.8, 0.7]), np.int32([1, 1, 2]), nms_iou=0.45)
    assert kept.tolist() == [0, 2]


def test_a_suppressed_box_suppresses_nothing():
    boxes = np.float32([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]])
    kept = nms(boxes, np.float32([0.9, 0.8, 0.7]), np.int32([0, 0, 0]), nms_iou=0.3)
    assert kept.tolist() == [0, 2]


def test_an_overlap_of_just_the_limit_is_kept():
    boxes = np.float32([[0, 0, 2, 1], [0, 0, 1, 1]])
    scores, class_ids = np.float32([0.9, 0.8]), np.int32([0, 0])
    assert nms(boxes, scores, class_ids, nms_iou=0.5).tolist() == [0, 1]
    assert nms(boxes, scores, class_ids, nms_iou=0.4999).tolist() == [0]


def test_of_equal_scores_the_first_is_kept():
    boxes = np.float32([[0, 0, 1, 1]] * 3)
    assert nms(boxes, np.float32([0.5, 0.5, 0.5]), np.int32([0, 0, 0]), nms_iou=0.45).tolist() == [0]


def test_boxes_without_area_suppress_nothing_and_are_not_suppressed():
    boxes = np.float32([[0.5, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5], [0.9, 0.9, 0.1, 0.1], [0, 0, 1, 1]])
    kept = nms(boxes, np.float32([0.9, 0.8, 0.7, 0.6]), np.zeros(4, np.int32), nms_iou=0.0)
    assert kept.tolist() == [0, 1, 2, 3]


def test_nothing_in_is_nothing_out():
    kept = nms(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32), nms_iou=0.45)
    assert kept.shape == (0,)


@settings(max_examples=1500, deadline=None)
@given(crowds(), limits)
def test_any_crowd_is_thinned_as_the_plain_loop_thins_it(crowd, nms_iou):
    boxes, scores, class_ids = crowd
    assert nms(boxes, scores, class_ids, nms_iou=nms_iou).tolist() == plain_nms(*crowd, nms_iou)


@pytest.mark.parametrize("seed", range(30))
def test_crowds_of_hundreds_are_thinned_as_the_plain_loop_thins_them(seed):
    rng = np.random.default_rng(seed)
    n, classes = int(rng.integers(129, 600)), int(rng.choice([1, 2, 20]))
    corners = rng.random((n, 2), np.float32)
    boxes = np.concatenate([corners, corners + rng.random((n, 2), np.float32) ** 3], axis=1)
    if seed % 2:
        boxes = np.round(boxes * 16) / np.float32(16)
    scores = np.round(rng.random(n, np.float32), int(rng.choice([1, 7]))).astype(np.float32)
    class_ids = rng.integers(0, classes, n)
    nms_iou = float(rng.choice([0.1, 0.45, 0.5]))
    assert nms(boxes, scores, class_ids, nms_iou=nms_iou).tolist() == plain_nms(
        boxes, scores, class_ids, nms_iou
    )


@pytest.mark.parametrize("wanted", [0, 1, 7, 200, 5000])
def test_to_be_content_with_the_best_few_changes_none_of_them(wanted):
    rng = np.random.default_rng(wanted)
    corners = rng.random((1500, 2), np.float32)
    boxes = np.concatenate([corners, corners + rng.random((1500, 2), np.float32) ** 2], axis=1)
    scores, class_ids = np.round(rng.random(1500, np.float32), 2), rng.integers(0, 5, 1500)
    all_kept = nms(boxes, scores, class_ids, nms_iou=0.45)
    best = nms(boxes, scores, class_ids, nms_iou=0.45, max_detections=wanted)
    assert best.tolist() == all_kept[:wanted].tolist()
    assert len(best) == min(wanted, len(all_kept))


@pytest.mark.parametrize("seed", range(40))
def test_opencv_keeps_the_same_boxes(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 300))
    # Whole pixels, distinct scores, no empty box, no overlap of just the limit: there the rules are the same.
    corners = rng.integers(0, 200, (n, 2))
    sizes = rng.integers(1, 80, (n, 2))
    scores = (rng.permutation(n) + 1).astype(np.float32) / (n + 1)
    class_ids = rng.integers(0, 4, n)
    rectangles = np.concatenate([corners, sizes], axis=1).astype(np.float64)
    theirs = cv2.dnn.NMSBoxesBatched(rectangles, scores, class_ids.astype(np.int32), 0.0, 0.45001)
    boxes = np.concatenate([corners, corners + sizes], axis=1).astype(np.float32)
    ours = nms(boxes, scores, class_ids, nms_iou=0.45001)
    assert ours.tolist() == sorted(np.ravel(theirs).tolist(), key=lambda index: -scores[index])


def network_answers(rng: np.random.Generator, anchors, classes, above_floor):
    """Low scores everywhere but for `above_floor` pairs, many of them equal; boxes near their anchors."""
    scores = rng.random((len(anchors), classes)).astype(np.float32) * np.float32(0.04)
    chosen = rng.choice(scores.size, above_floor, replace=False)
    scores.flat[chosen] = np.round(0.06 + rng.random(above_floor) * 0.9, 2)
    offsets = rng.normal(0, 1.5, (len(anchors), 4)).astype(np.float32)
    return scores, offsets


@pytest.mark.parametrize("above_floor", [0, 1, 50, 400, 1000, 1001, 3000])
def test_the_answers_of_a_network_become_what_the_plain_rules_keep(above_floor):
    anchors = generate(LAYOUTS["tf-ssd-300"])
    scores, offsets = network_answers(np.random.default_rng(above_floor), anchors, 12, above_floor)
    found = select(scores, offsets, anchors, VARIANCES, floor=0.05, nms_iou=0.45, max_detections=150)

    pairs = plain_candidates(scores, 0.05, CANDIDATES)
    assert len(pairs) == min(above_floor, CANDIDATES)
    anchor_ids, class_ids = np.array(pairs, np.int64).reshape(-1, 2).T
    scaled = offsets[anchor_ids] * np.float32(VARIANCES)
    sizes = anchors[anchor_ids, 2:] * np.exp(scaled[:, 2:])
    centres = anchors[anchor_ids, :2] + scaled[:, :2] * anchors[anchor_ids, 2:]
    boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
    values = scores[anchor_ids, class_ids]
    kept = plain_nms(boxes, values, class_ids, 0.45)[:150]

    np.testing.assert_array_equal(found.anchor_ids, anchor_ids[kept])
    np.testing.assert_array_equal(found.class_ids, class_ids[kept])
    np.testing.assert_array_equal(found.scores, values[kept])
    np.testing.assert_allclose(found.boxes, boxes[kept], atol=1e-6)
    assert [array.dtype for array in found] == [np.float32, np.float32, np.int32, np.int32]


def test_a_minimum_score_after_nms_gives_what_a_higher_floor_gives():
    anchors = generate(LAYOUTS["tf-ssd-300"])
    scores, offsets = network_answers(np.random.default_rng(7), anchors, 12, 300)
    low = select(scores, offsets, anchors, VARIANCES, floor=0.05, nms_iou=0.45, max_detections=1000)
    high = select(scores, offsets, anchors, VARIANCES, floor=0.5, nms_iou=0.45, max_detections=1000)
    np.testing.assert_array_equal(low.boxes[low.scores > np.float32(0.5)], high.boxes)


def test_scores_that_are_a_slice_of_a_larger_array_are_read_right():
    anchors = generate(LAYOUTS["tf-ssd-300"])
    scores, offsets = network_answers(np.random.default_rng(8), anchors, 12, 300)
    with_background = np.concatenate([np.ones((len(anchors), 1), np.float32), scores], axis=1)
    limits = {"floor": 0.1, "nms_iou": 0.5, "max_detections": 99}
    sliced = select(with_background[:, 1:], offsets, anchors, VARIANCES, **limits)
    whole = select(scores, offsets, anchors, VARIANCES, **limits)
    for a, b in zip(sliced, whole):
        np.testing.assert_array_equal(a, b)


def test_a_box_that_sticks_out_of_the_picture_is_not_cut_before_nms():
    # Cut to the picture they would be the same box; as they are they overlap by a third.
    outside = np.float32([[-1.0, 0.0, 0.5, 1.0], [0.0, 0.0, 0.5, 1.0]])
    anchors = np.float32([[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 1.0, 1.0]])
    offsets = encode(to_cxcywh(outside), anchors)
    assert float32_iou(*outside) == pytest.approx(1 / 3)
    scores = np.float32([[0.9], [0.8]])
    found = select(scores, offsets, anchors, VARIANCES, floor=0.05, nms_iou=0.45, max_detections=10)
    assert found.anchor_ids.tolist() == [0, 1]
    assert found.boxes[0, 0] == pytest.approx(-1)
