"""The box coder: worked examples and round trips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detector.box_coder import decode, encode

centres = arrays(np.float32, (5, 2), elements=st.floats(0, 1, width=32))
sizes = arrays(np.float32, (5, 2), elements=st.floats(np.float32(0.01), 1, width=32))


def test_the_offsets_are_those_worked_out_by_hand():
    offsets = encode(np.float32([[0.55, 0.45, 0.3, 0.3]]), np.float32([[0.5, 0.5, 0.2, 0.4]]))
    np.testing.assert_allclose(offsets, [[2.5, -1.25, 2.0273255, -1.4384104]], atol=1e-5)


def test_variances_of_one_leave_plain_offsets():
    offsets = encode(np.float32([[0.55, 0.45, 0.3, 0.3]]), np.float32([[0.5, 0.5, 0.2, 0.4]]), (1, 1, 1, 1))
    np.testing.assert_allclose(offsets, [[0.25, -0.125, 0.4054651, -0.2876821]], atol=1e-6)


def test_offsets_of_nothing_mean_the_anchor_itself():
    anchors = np.float32([[0.5, 0.4, 0.2, 0.1], [0, 0, 1, 1]])
    np.testing.assert_array_equal(decode(np.zeros_like(anchors), anchors), anchors)


@given(centres, sizes, centres, sizes)
def test_decoding_undoes_encoding(box_centres, box_sizes, anchor_centres, anchor_sizes):
    boxes = np.concatenate([box_centres, box_sizes], axis=1)
    anchors = np.concatenate([anchor_centres, anchor_sizes], axis=1)
    offsets = encode(boxes, anchors)
    assert offsets.dtype == np.float32
    np.testing.assert_allclose(decode(offsets, anchors), boxes, atol=1e-6)


def test_a_box_without_area_is_refused_rather_than_made_infinite():
    anchor = np.float32([[0.5, 0.5, 0.2, 0.4]])
    for size in ((0.0, 0.1), (0.1, -0.1), (np.nan, 0.1)):
        with pytest.raises(ValueError, match="without area"):
            encode(np.float32([[0.5, 0.5, *size]]), anchor)


def test_wild_offsets_give_huge_boxes_but_finite_ones():
    boxes = decode(np.float32([[0, 0, 1e6, -1e6]]), np.float32([[0.5, 0.5, 0.2, 0.4]]))
    assert np.isfinite(boxes).all()
    assert boxes[0, 2] > 1e6
    assert boxes[0, 3] == 0
