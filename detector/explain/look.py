"""What a heat map looks like: one look for window, pictures and reports."""

import numpy as np
from numpy.typing import NDArray

from detector.explain.methods import Heat, resized
from detector.values import Pixels

OPACITY = 0.75  # where the map is warmest


def heat_layer(heat: Heat, height: int, width: int) -> NDArray[np.uint8]:
    """A map as a layer over a picture: (height, width, 4) uint8, blue, green, red, alpha.

    heat  (rows, columns) 0..1; cold places are clear, warm ones bright on any picture
    """
    import cv2  # here, so that the window stands before OpenCV is there

    # Between two places that spoke for a box nothing did: linear, not smoother, which would overshoot.
    large = np.clip(resized(heat, height, width), 0, 1)
    colours = cv2.applyColorMap(np.rint(large * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    alpha = np.rint(np.sqrt(large) * 255).astype(np.uint8)
    return np.dstack([colours, alpha])


def with_heat(pixels: Pixels, heat: Heat) -> Pixels:
    """A new picture with the map over it.

    pixels  (height, width, 3) uint8 BGR
    """
    layer = heat_layer(heat, *pixels.shape[:2])
    share = layer[..., 3:] * np.float32(OPACITY / 255)
    return np.asarray(np.rint(pixels * (1 - share) + layer[..., :3] * share), np.uint8)
