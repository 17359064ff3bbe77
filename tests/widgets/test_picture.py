"""Frames made ready for the screen: the right pixels, at the screen's own resolution."""

import cv2
import numpy as np
import pytest
from PyQt5.QtGui import QImage

from detector.values import Frame
from tests.app.videos import numbered_picture
from widgets.picture import Surface, prepare
from widgets.view_geometry import Zoom


def bgr(image: QImage) -> np.ndarray:
    """(height, width, 3) uint8, read pixel by pixel: no assumption about strides."""
    pixels = [[image.pixelColor(x, y) for x in range(image.width())] for y in range(image.height())]
    return np.uint8([[(p.blue(), p.green(), p.red()) for p in row] for row in pixels])


def test_a_frame_as_large_as_the_view_is_shown_as_it_is():
    pixels = np.random.default_rng(0).integers(0, 256, (33, 47, 3), np.uint8)  # odd: rows end anywhere
    picture = prepare(Frame(pixels), Surface(33, 47, 1.0, Zoom()))
    assert np.array_equal(bgr(picture.image), pixels)


@pytest.mark.parametrize(("ratio", "size"), [(1.0, (32, 64)), (1.5, (48, 96)), (2.0, (64, 128))])
def test_a_picture_has_the_pixels_of_the_screen_not_of_the_layout(ratio, size):
    frame = Frame(numbered_picture(7, 192, 96))
    picture = prepare(frame, Surface(32, 64, ratio, Zoom()))
    assert (picture.image.height(), picture.image.width()) == size
    assert picture.image.devicePixelRatio() == ratio


def test_a_much_smaller_picture_is_averaged_so_that_thin_lines_do_not_vanish():
    pixels = np.zeros((400, 400, 3), np.uint8)
    pixels[:, 201] = 255
    image = bgr(prepare(Frame(pixels), Surface(40, 40, 1.0, Zoom())).image)
    assert image.max() > 20


def test_zoomed_in_only_what_is_seen_is_resized():
    pixels = numbered_picture(5, 192, 96)
    picture = prepare(Frame(pixels), Surface(96, 192, 1.0, Zoom(2.0, 0.25, 0.25)))
    x1, y1, x2, y2 = picture.placement.crop
    assert (x2 - x1, y2 - y1) < (192, 96)
    expected = cv2.resize(pixels[y1:y2, x1:x2], (picture.image.width(), picture.image.height()))
    assert np.array_equal(bgr(picture.image), expected)


def test_a_view_without_room_needs_no_picture():
    assert prepare(Frame(numbered_picture(1)), Surface(0, 10, 1.0, Zoom())) is None


def test_the_picture_outlives_everything_but_itself():
    picture = prepare(Frame(numbered_picture(3, 192, 96)), Surface(48, 96, 1.0, Zoom()))
    image = picture.image
    before = bgr(image)
    del picture
    np.zeros(48 * 96 * 4 * 8, np.uint8)  # would be given the memory if it were free
    assert np.array_equal(bgr(image), before)
