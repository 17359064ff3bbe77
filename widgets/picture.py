"""A frame made ready for the screen: cropped, resized and in the screen's own pixel format, in any thread."""

from dataclasses import dataclass

import cv2
import numpy as np
from PyQt5.QtGui import QImage

from detector.values import Frame, Pixels
from widgets.view_geometry import Placement, Zoom, place


@dataclass(frozen=True, slots=True)
class Surface:
    """What a picture is prepared for.

    height, width  logical pixels of the view
    ratio          device pixels per logical pixel
    """

    height: int
    width: int
    ratio: float
    zoom: Zoom


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame as it will be painted on a surface, pixel for pixel."""

    frame: Frame
    surface: Surface
    placement: Placement
    image: QImage


def prepare(frame: Frame, surface: Surface) -> Picture | None:
    """The frame, fit to the surface; None when there is no room for it.

    1.5 ms for 1080p on a 720p view; cv2 releases the interpreter meanwhile. RGB32 is what Qt copies to the
    screen without converting: BGR888 would cost the window's thread 3 ms a picture (viewer facts 3.2).
    """
    placement = place((frame.height, frame.width), (surface.height, surface.width), surface.zoom)
    if placement is None:
        return None
    x1, y1, x2, y2 = placement.crop
    pixels: Pixels = frame.pixels[y1:y2, x1:x2]
    _, _, width, height = placement.target
    size = max(round(width * surface.ratio), 1), max(round(height * surface.ratio), 1)
    if size != (x2 - x1, y2 - y1):
        halved = size[0] * 2 < x2 - x1  # linear would skip pixels
        way = cv2.INTER_AREA if halved else cv2.INTER_LINEAR
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=way), np.uint8)
    screen = cv2.cvtColor(pixels, cv2.COLOR_BGR2BGRA)
    image = QImage(screen.data, size[0], size[1], screen.strides[0], QImage.Format_RGB32)
    image.setDevicePixelRatio(surface.ratio)
    return Picture(frame, surface, placement, image)
