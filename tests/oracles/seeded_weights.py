"""The same random numbers for a network in its own runtime and in ours, by the name of the array."""

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEADS = ("loc.", "reg_headers.", "regression_headers.", "regression_head.")
_FIRST_OF_VGG = ("backbone.features.0.weight", "vgg.0.weight", "backbone.vgg.0.weight", "base_net.0.weight")


def seeded(name: str, shape: tuple[int, ...], gain: float = 2.0) -> NDArray[np.float32]:
    """Values that keep every layer's near 1 (He et al. 2015), and boxes near their anchors.

    name, shape  of an array of a PyTorch state dict
    gain         of kernels: 2 where ReLU follows each. Some networks make noise of rounding larger with each
                 layer then, until nothing can be compared
    """
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    values: Any
    if len(shape) == 4:
        values = rng.standard_normal(shape, np.float32) * np.sqrt(gain / np.prod(shape[1:]))
        if any(each in name for each in _HEADS):
            values *= 0.3
        if name in _FIRST_OF_VGG:
            values /= 64  # it is given -123 to 151
    elif name.endswith("running_var"):
        values = rng.uniform(0.5, 1.5, shape)
    elif name.endswith(("L2Norm.weight", "l2_norm.weight", "scale_weight")):
        values = rng.uniform(10, 20, shape)
    elif name.endswith("weight"):  # of a normalisation
        values = rng.normal(1, 0.1, shape)
    else:
        values = rng.normal(0, 0.1, shape)
    return values.astype(np.float32)


def picture(size: tuple[int, int]) -> NDArray[np.uint8]:
    """RGB (height, width, 3): rectangles on a gradient, the same each time."""
    height, width = size
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x * 255 // width, y * 255 // height, (x + y) % 256], -1).astype(np.uint8)
    for _ in range(12):
        top, left = int(rng.integers(0, height - 20)), int(rng.integers(0, width - 20))
        pixels[top : top + int(rng.integers(10, 120)), left : left + int(rng.integers(10, 120))] = (
            rng.integers(0, 256, 3)
        )
    return pixels
