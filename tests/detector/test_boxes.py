"""Box algebra: the two ways to write a box, and overlaps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detector.boxes import areas, intersections, iou_matrix, to_cxcywh, to_pixels, to_xyxy

numbers = arrays(np.float32, (6, 4), elements=st.floats(-2, 2, width=32))


def plain_iou(a, b):
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    area_a = max(0.0, a[2] - a[0]) * max(0.0, a[3] - a[1])
    area_b = max(0.0, b[2] - b[0]) * max(0.0, b[3] - b[1])
    union = area_a + area_b - width * height
    return width * height / union if union > 0 else 0.0


@given(numbers)
def test_the_two_ways_to_write_a_box_mean_the_same(boxes):
    np.testing.assert_allclose(to_xyxy(to_cxcywh(boxes)), boxes, atol=1e-6)


def test_centre_and_size_are_those_of_the_corners():
    boxes = np.float32([[0.1, 0.2, 0.5, 0.3]])
    np.testing.assert_allclose(to_cxcywh(boxes), [[0.3, 0.25, 0.4, 0.1]], atol=1e-7)


@pytest.mark.parametrize(
    ("a", "b", "iou"),
    [
        ((0.1, 0.1, 0.5, 0.5), (0.3, 0.3, 0.7, 0.7), 0.1428571),
        ((0, 0, 9, 9), (5, 5, 14, 14), 0.1095890),  # without "+1"
        ((0, 0, 1, 1), (0, 0, 1, 1), 1),
        ((0, 0, 1, 1), (1, 0, 2, 1), 0),  # they touch
        ((0, 0, 1, 1), (0.25, 0.25, 0.75, 0.75), 0.25),  # one in the other
        ((0.3, 0.3, 0.3, 0.3), (0.3, 0.3, 0.3, 0.3), 0),  # a point and itself
        ((0.9, 0.9, 0.1, 0.1), (0, 0, 1, 1), 0),  # reversed on both axes: not the product of two negatives
    ],
)
def test_the_overlap_is_the_one_worked_out_by_hand(a, b, iou):
    np.testing.assert_allclose(iou_matrix(np.float32([a]), np.float32([b])), [[iou]], atol=1e-6)


@given(numbers, numbers)
def test_the_overlap_of_any_boxes_is_that_of_a_plain_loop(a, b):
    expected = [[plain_iou(each, other) for other in b.astype(float)] for each in a.astype(float)]
    # Sides that differ in the eighth digit only leave few right digits in float32.
    solid = (areas(a) > 1e-3)[:, None] & (areas(b) > 1e-3)
    np.testing.assert_allclose(iou_matrix(a, b)[solid], np.array(expected)[solid], atol=2e-3)


@given(numbers, numbers)
def test_an_overlap_lies_between_nothing_and_all_and_is_mutual(a, b):
    overlap = iou_matrix(a, b)
    assert overlap.dtype == np.float32
    assert (overlap >= 0).all()
    assert (overlap <= 1 + 1e-4).all()
    np.testing.assert_array_equal(overlap, iou_matrix(b, a).T)


def test_many_overlaps_at_once_are_those_of_one_box_after_the_other():
    corners = np.random.default_rng(0).random((2500, 2), np.float32)
    boxes = np.concatenate([corners, corners + corners[::-1] / 3], axis=1)
    rows = [iou_matrix(boxes[[index]], boxes)[0] for index in range(0, 100, 7)]
    np.testing.assert_array_equal(iou_matrix(boxes[:100], boxes)[::7], rows)


def test_no_boxes_have_no_overlaps():
    none, one = np.zeros((0, 4), np.float32), np.ones((1, 4), np.float32)
    assert iou_matrix(none, one).shape == (0, 1)
    assert intersections(one, none).shape == (1, 0)
    assert areas(none).shape == (0,)


def test_boxes_in_pixels_end_at_the_edges_of_the_frame():
    boxes = np.float32([[0.25, 0.5, 0.75, 1.0], [-0.1, -0.1, 1.1, 1.1]])
    expected = [[160, 180, 480, 360], [0, 0, 640, 360]]
    np.testing.assert_array_equal(to_pixels(boxes, 360, 640), np.float32(expected))
