"""The matcher against worked examples and against the original's rules written out as plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detector.anchor_layouts import LAYOUTS
from detector.anchors import generate
from detector.box_coder import encode
from detector.boxes import iou_matrix, to_cxcywh, to_xyxy
from detector.matching import match
from tests.detector.plain_nms import float32_iou

MIDDLE, SMALL, TALL = (0.25, 0.25, 0.75, 0.75), (0.3, 0.3, 0.42, 0.45), (0.1, 0.2, 0.4, 0.9)
TINY, FLAT = (0.6, 0.6, 0.64, 0.66), (0.05, 0.4, 0.95, 0.6)


@pytest.mark.parametrize(
    ("layout", "box", "positives", "best", "iou", "target"),
    [
        ("ssd300-voc", MIDDLE, 10, 8207, 0.799200, (0.44744, 0.44744, 0.56036, 0.56036)),
        ("ssd300-voc", SMALL, 10, 2181, 0.733994, (0, -0.82496, -0.82126, 0.29446)),
        ("ssd300-voc", TALL, 6, None, 0.651905, None),
        ("ssd300-voc", TINY, 0, None, 0.240000, None),
        ("ssd300-voc", FLAT, 5, None, 0.607150, None),
        ("ssd300-coco", TALL, 6, 8611, 0.624091, (-1.94108, 0.23108, -0.92027, -0.14952)),
        ("ssd300-coco", MIDDLE, 10, 8614, 0.773456, (-0.65359, -0.65359, -0.09901, -0.09901)),
        ("ssd300-coco", TINY, 0, 3588, 0.489796, (-0.95238, 0.47619, -2.79808, -0.77075)),
        ("ssd300-coco", FLAT, 4, 8618, 0.639521, (-0.37735, -1.13206, 0.09339, -1.93394)),
        ("ssd300-coco", SMALL, 6, 6610, 0.588235, (0.88889, -1.66667, -1.11572, 0)),
        ("mobilenet-ssd-caffe", MIDDLE, 11, 1755, 1.000000, (0, 0, 0, 0)),
        ("mobilenet-ssd-caffe", TALL, 9, 1752, 0.648086, (-1.41421, 0.70711, -0.82126, -0.05051)),
        ("mobilenet-ssd-caffe", FLAT, 1, 1759, 0.674488, (0, 0, 0.19240, -1.83492)),
        ("mobilenet-ssd-caffe", TINY, 0, None, 0.060000, None),
        ("ssd512-voc", MIDDLE, 20, None, 0.625277, None),
        ("ssd512-voc", TINY, 5, None, 0.513588, None),
    ],
)
def test_an_object_is_given_the_anchors_worked_out_for_it(layout, box, positives, best, iou, target):
    anchors, boxes = generate(LAYOUTS[layout]), np.float32([box])
    overlaps = iou_matrix(boxes, to_xyxy(anchors))[0]
    assert (overlaps >= 0.5).sum() == positives
    assert overlaps.max() == pytest.approx(iou, abs=1e-5)

    matches = match(boxes, anchors)
    # Where no anchor overlaps enough, the object's best one is forced.
    assert matches.positives.sum() == max(positives, 1)
    assert overlaps[matches.positives].max() == pytest.approx(iou, abs=1e-5)
    if best is not None:
        assert matches.object_ids[best] == 0
        assert overlaps.argmax() == best
        offsets = encode(to_cxcywh(boxes), anchors[[best]])
        np.testing.assert_allclose(offsets[0], target, atol=2e-5)


def plain_match(boxes, anchor_boxes, ignored, min_iou=0.5, neg_overlap=0.5):
    """The rules one by one: the object of each anchor (or -1), and which anchors are negatives."""
    objects = [index for index in range(len(boxes)) if not ignored[index]]
    overlap = {
        (a, o): float32_iou(anchor_boxes[a], boxes[o]) for a in range(len(anchor_boxes)) for o in objects
    }
    object_ids = [-1] * len(anchor_boxes)
    pool = list(objects)
    while pool:
        best = None
        for anchor in range(len(anchor_boxes)):
            if object_ids[anchor] >= 0:
                continue
            for each in pool:
                iou = overlap[anchor, each]
                if iou > 1e-6 and (best is None or iou > overlap[best]):
                    best = (anchor, each)
        if best is None:
            break
        object_ids[best[0]] = best[1]
        pool.remove(best[1])

    negatives = []
    for anchor, box in enumerate(anchor_boxes):
        nearest, most = -1, np.float32(-1)
        for each in objects:
            if overlap[anchor, each] > most:
                nearest, most = each, overlap[anchor, each]
        if object_ids[anchor] < 0 and most >= np.float32(min_iou):
            object_ids[anchor] = nearest
        negative = object_ids[anchor] < 0 and most < np.float32(neg_overlap)
        for region in np.flatnonzero(ignored):
            width = min(box[2], boxes[region, 2]) - max(box[0], boxes[region, 0])
            height = min(box[3], boxes[region, 3]) - max(box[1], boxes[region, 1])
            area = max(box[2] - box[0], 0) * max(box[3] - box[1], 0)
            if max(width, 0) * max(height, 0) >= np.float32(0.5) * area:
                negative = False
        negatives.append(negative)
    return object_ids, negatives


# On a grid of eighths every IoU is exact up to its one division, and ties are everywhere.
grid_corners = st.tuples(*[st.integers(0, 7)] * 2, *[st.integers(1, 8)] * 2).map(
    lambda box: (box[0] / 8, box[1] / 8, (box[0] + box[2]) / 8, (box[1] + box[3]) / 8)
)
anchor_lists = st.lists(grid_corners, min_size=1, max_size=12).map(np.float32)
box_lists = st.lists(grid_corners, max_size=6).map(lambda boxes: np.float32(boxes).reshape(-1, 4))


@settings(max_examples=600, deadline=None)
@given(box_lists, anchor_lists, st.data())
def test_any_picture_is_matched_as_the_plain_loops_match_it(boxes, anchor_boxes, data):
    ignored = data.draw(arrays(np.bool_, len(boxes)))
    neg_overlap = data.draw(st.sampled_from([0.25, 0.5]))
    object_ids, negatives = plain_match(boxes, anchor_boxes, ignored, neg_overlap=neg_overlap)
    found = match(boxes, to_cxcywh(anchor_boxes), ignored=ignored, neg_overlap=neg_overlap)
    assert found.object_ids.tolist() == object_ids
    assert found.negatives.tolist() == negatives


@pytest.mark.parametrize("seed", range(3))
def test_crowded_pictures_on_real_anchors_are_matched_as_the_plain_loops_match_them(seed):
    rng = np.random.default_rng(seed)
    anchors = generate(LAYOUTS["tf-ssd-300"])[1083:]
    corners = rng.random((12, 2)) * 0.7
    boxes = np.concatenate([corners, corners + 0.02 + rng.random((12, 2)) * 0.3], axis=1).astype(np.float32)
    boxes[6:9] = boxes[3:6]  # three twice: their anchors are fought over
    ignored = rng.random(12) < 0.2
    object_ids, negatives = plain_match(boxes, to_xyxy(anchors), ignored)
    found = match(boxes, anchors, ignored=ignored)
    assert found.object_ids.tolist() == object_ids
    assert found.negatives.tolist() == negatives


def test_two_objects_that_want_the_same_anchor_both_get_one():
    anchors = to_cxcywh(np.float32([[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1], [0, 0, 0.5, 0.25]]))
    same = np.float32([[0, 0, 0.5, 0.5], [0, 0, 0.5, 0.5]])
    assert match(same, anchors).object_ids.tolist() == [0, -1, 1]


def test_an_object_that_no_anchor_touches_stays_without_one():
    anchors = to_cxcywh(np.float32([[0, 0, 0.25, 0.25]]))
    matches = match(np.float32([[0.5, 0.5, 1, 1]]), anchors)
    assert matches.object_ids.tolist() == [-1]
    assert matches.negatives.tolist() == [True]


def test_a_picture_without_objects_is_background_everywhere():
    matches = match(np.zeros((0, 4), np.float32), generate(LAYOUTS["tf-ssd-300"]))
    assert not matches.positives.any()
    assert matches.negatives.all()
    assert matches.object_ids.dtype == np.int32


def test_what_lies_in_a_crowd_is_neither_positive_nor_negative():
    anchors = to_cxcywh(np.float32([[0.1, 0.1, 0.2, 0.2], [0.4, 0, 0.6, 0.5], [0.8, 0.8, 1, 1]]))
    crowd = np.float32([[0, 0, 0.5, 0.5]])
    matches = match(crowd, anchors, ignored=np.array([True]))
    assert matches.object_ids.tolist() == [-1, -1, -1]
    assert matches.negatives.tolist() == [False, False, True]


def test_an_object_inside_a_crowd_still_has_its_anchor():
    anchors = to_cxcywh(np.float32([[0.1, 0.1, 0.2, 0.2], [0.2, 0.2, 0.4, 0.4]]))
    boxes = np.float32([[0, 0, 0.5, 0.5], [0.1, 0.1, 0.2, 0.2]])
    matches = match(boxes, anchors, ignored=np.array([True, False]))
    assert matches.object_ids.tolist() == [1, -1]
    assert not matches.negatives.any()


def test_an_overlap_between_the_two_limits_is_left_out():
    anchors = to_cxcywh(np.float32([[0, 0, 0.5, 0.5], [0, 0, 0.5, 0.2], [0.5, 0.5, 1, 1]]))
    matches = match(np.float32([[0, 0, 0.5, 0.5]]), anchors, neg_overlap=0.3)
    assert matches.object_ids.tolist() == [0, -1, -1]
    assert matches.negatives.tolist() == [False, False, True]


def test_an_object_without_area_is_never_matched():
    boxes = np.float32([[0.5, 0.5, 0.5, 0.5], [0.7, 0.7, 0.3, 0.3]])
    assert not match(boxes, generate(LAYOUTS["tf-ssd-300"])).positives.any()
