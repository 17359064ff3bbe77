"""MobileNet v3 (large) with a tail of half the channels, and SSDLite's extra layers.

source  torchvision's ssdlite320_mobilenet_v3_large; its running statistics take 0.03 of a step
"""

from dataclasses import replace
from typing import Any, Literal, NamedTuple

from keras import layers

from detector.networks.extra_layers import separable_halving
from detector.networks.initial_kernels import RandomKernel
from detector.networks.units import Units

_UNITS = Units(activation="hard_swish", epsilon=0.001, momentum=0.97, pads_every_side=True)
_EXTRA_UNITS = replace(_UNITS, activation="relu6")
_EXTRAS = (512, 256, 256, 128)


class _Block(NamedTuple):
    """An inverted residual; `wide`, `channels`: at its widest, and what it gives."""

    kernel: int
    wide: int
    channels: int
    weighs: bool  # whether it weighs channels by what the whole map says
    activation: Literal["relu", "hard_swish"]
    stride: int = 1


_BLOCKS = (
    _Block(3, 16, 16, False, "relu"),
    _Block(3, 64, 24, False, "relu", 2),
    _Block(3, 72, 24, False, "relu"),
    _Block(5, 72, 40, True, "relu", 2),
    _Block(5, 120, 40, True, "relu"),
    _Block(5, 120, 40, True, "relu"),
    _Block(3, 240, 80, False, "hard_swish", 2),
    _Block(3, 200, 80, False, "hard_swish"),
    _Block(3, 184, 80, False, "hard_swish"),
    _Block(3, 184, 80, False, "hard_swish"),
    _Block(3, 480, 112, True, "hard_swish"),
    _Block(3, 672, 112, True, "hard_swish"),
    _Block(5, 672, 80, True, "hard_swish", 2),
    _Block(5, 480, 80, True, "hard_swish"),
    _Block(5, 480, 80, True, "hard_swish"),
)
_FIRST_SOURCE = 13  # the block whose widest map is the last of stride 16


def ssdlite320_v3(pictures: Any) -> dict[str, Any]:
    """Six feature maps of strides 16 to 512."""
    maps = {}
    x = _UNITS.convolution(pictures, 16, 3, stride=2, name="stem")
    for number, block in enumerate(_BLOCKS, start=1):
        wide, x = _inverted_residual(x, block, name=f"block{number}")
        if number == _FIRST_SOURCE:
            maps[f"block{number}_expand"] = wide
    maps["tail"] = x = _UNITS.convolution(x, 480, 1, name="tail")
    for number, channels in enumerate(_EXTRAS, start=1):
        maps[f"extra{number}_2"] = x = separable_halving(x, channels, _EXTRA_UNITS, name=f"extra{number}")
    return maps


def _inverted_residual(x: Any, block: _Block, *, name: str) -> tuple[Any, Any]:
    """The map at its widest, and what the block gives."""
    units = replace(_UNITS, activation=block.activation)
    given = wide = x
    if block.wide != given.shape[-1]:
        wide = units.convolution(x, block.wide, 1, name=f"{name}_expand")
    x = units.depthwise(wide, block.kernel, stride=block.stride, name=f"{name}_depthwise")
    if block.weighs:
        x = _weighed(x, name=name)
    x = units.convolution(x, block.channels, 1, activation="none", name=f"{name}_project")
    if block.stride == 1 and given.shape[-1] == block.channels:
        x = layers.Add(name=f"{name}_sum")([given, x])
    return wide, x


def _weighed(x: Any, *, name: str) -> Any:
    """Squeeze and excitation: each channel times a weight of 0..1 that the means of all channels give."""
    channels = x.shape[-1]
    mean = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_mean")(x)
    squeezed = layers.Conv2D(
        _by_eights(channels / 4),
        1,
        activation="relu",
        kernel_initializer=RandomKernel(2),
        name=f"{name}_squeeze",
    )(mean)
    weights = layers.Conv2D(
        channels,
        1,
        activation="hard_sigmoid",
        kernel_initializer=RandomKernel(1),
        name=f"{name}_excite",
    )(squeezed)
    return layers.Multiply(name=f"{name}_weighed")([x, weights])


def _by_eights(channels: float) -> int:
    """The nearest multiple of 8, but at least 8 and at most a tenth below."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest
