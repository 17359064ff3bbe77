"""How much a network computes."""

from typing import Any

import keras
import numpy as np


def operations(network: keras.Model) -> int:
    """Additions and multiplications of its convolutions for one picture; the rest is not worth counting."""
    return sum(2 * _products(layer) for layer in network.layers if hasattr(layer, "kernel"))


def _products(convolution: Any) -> int:
    """Each number of the kernel is multiplied once for each cell of the answer."""
    return int(np.prod(convolution.kernel.shape) * np.prod(convolution.output.shape[1:3]))
