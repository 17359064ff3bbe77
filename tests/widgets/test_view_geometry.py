"""Where a picture lies in a view, whatever the sizes and however far a person has gone into it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets.view_geometry import MAX_ZOOM, Zoom, place

SIZES = st.tuples(st.integers(1, 4000), st.integers(1, 4000))
ZOOMS = st.builds(Zoom, st.floats(1, MAX_ZOOM), st.floats(0, 1), st.floats(0, 1))


@given(SIZES, SIZES)
def test_the_whole_picture_is_seen_as_large_as_it_fits_with_its_aspect_kept(frame, view):
    placed = place(frame, view)
    x, y, width, height = placed.target
    assert placed.crop == (0, 0, frame[1], frame[0])
    assert (width / height) == pytest.approx(frame[1] / frame[0])
    assert min(view[1] - width, view[0] - height) == pytest.approx(0, abs=1e-6 * max(view))
    assert (x, y) == pytest.approx(((view[1] - width) / 2, (view[0] - height) / 2), abs=1e-6 * max(view))


@given(SIZES, SIZES, ZOOMS)
def test_the_view_is_filled_wherever_the_picture_can_fill_it(frame, view, zoom):
    placed = place(frame, view, zoom)
    left, top = placed.to_view(0, 0)
    right, bottom = placed.to_view(frame[1], frame[0])
    slack = 1e-6 * max(*view, right - left, bottom - top)
    for start, end, length in ((left, right, view[1]), (top, bottom, view[0])):
        if end - start >= length:
            assert start <= slack and end >= length - slack
        else:
            assert start >= -slack and end <= length + slack


@given(SIZES, SIZES, ZOOMS)
def test_no_pixel_that_is_seen_is_cut_off_and_none_is_asked_for_that_is_not_there(frame, view, zoom):
    placed = place(frame, view, zoom)
    x1, y1, x2, y2 = placed.crop
    assert 0 <= x1 < x2 <= frame[1] and 0 <= y1 < y2 <= frame[0]
    for corner in ((0, 0), (view[1], view[0])):
        x, y = placed.to_frame(*corner)
        assert x1 - 1e-6 * frame[1] <= min(max(x, 0), frame[1]) <= x2 + 1e-6 * frame[1]
        assert y1 - 1e-6 * frame[0] <= min(max(y, 0), frame[0]) <= y2 + 1e-6 * frame[0]


@given(SIZES, SIZES, ZOOMS, st.floats(0, 1), st.floats(0, 1))
def test_view_and_frame_coordinates_undo_each_other(frame, view, zoom, x, y):
    placed = place(frame, view, zoom)
    there = placed.to_view(x * frame[1], y * frame[0])
    assert placed.to_frame(*there) == pytest.approx((x * frame[1], y * frame[0]), abs=1e-6 * max(frame))


def test_zooming_leaves_the_place_under_the_mouse_where_it_is():
    before = place((720, 1280), (360, 640), Zoom(2.0, 0.5, 0.5))
    mouse = before.to_view(500, 300)
    after = place((720, 1280), (360, 640), Zoom(2.0, 0.5, 0.5).towards(1.5, 500 / 1280, 300 / 720))
    assert after.to_view(500, 300) == pytest.approx(mouse)


def test_zooming_ends_at_the_whole_picture():
    assert Zoom(2.0, 0.3, 0.3).towards(0.1, 0.9, 0.9).factor == 1.0


@given(SIZES, SIZES, ZOOMS)
def test_a_zoom_said_by_its_middle_shows_the_same(frame, view, zoom):
    before, after = place(frame, view, zoom), place(frame, view, zoom.within(frame, view))
    assert after.target == pytest.approx(before.target, abs=1e-3 + 1e-6 * max(before.target))


def test_a_view_without_room_shows_nothing():
    assert place((720, 1280), (0, 640)) is None
