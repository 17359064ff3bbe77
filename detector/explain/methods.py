"""The arithmetic of the ways to explain a score that read one feature map."""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Heat: TypeAlias = NDArray[np.float32]

# Cells. A place answers for its neighbours too: of the order that a map shares with one of a network that has
# forgotten everything (it only says where the anchor looks), smoothing takes a fifth away (0.18 -> 0.14).
_SMOOTHING = 1.0


def odam(features: NDArray[np.float32], gradients: NDArray[np.float32]) -> Heat:
    """Gradient times feature at every place, the gradient smoothed a little; what speaks against is left out.

    features, gradients  (rows, columns, channels)
    returns              (rows, columns), 0 and above
    source               ODAM (Zhao & Chan, ICLR 2023)
    """
    smooth = [_blurred(gradients[..., k]) for k in range(gradients.shape[-1])]
    return np.maximum((features * np.stack(smooth, axis=-1)).sum(axis=-1), 0)


def grad_cam(features: NDArray[np.float32], gradients: NDArray[np.float32]) -> Heat:
    """Every channel by its mean gradient over the whole map.

    source  Selvaraju et al. 2017
    """
    return np.maximum((features * gradients.mean(axis=(0, 1))).sum(axis=-1), 0)


def edges(gradients: NDArray[np.float32]) -> Heat:
    """The strongest channel of a guided network's gradient by the picture itself."""
    return np.abs(gradients).max(axis=-1)


def normalised(heat: Heat) -> Heat:
    """The warmest place becomes 1; where nothing is warm it stays 0."""
    return np.asarray(heat / np.maximum(heat.max(), np.finfo(np.float32).tiny), np.float32)


def resized(heat: Heat, height: int, width: int) -> Heat:
    """A map over a picture of this size; a cell's value stands in its middle."""
    return np.asarray(cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _blurred(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    # outside the map there is nothing: a mirrored edge would count its gradients twice
    blurred = cv2.GaussianBlur(channel, (0, 0), _SMOOTHING, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(blurred, np.float32)
