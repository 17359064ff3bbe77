"""MobileNet v2 with the extra layers of the TensorFlow Object Detection API.

source  ssd_mobilenet_v2 and ssdlite_mobilenet_v2 of that API, layer names too. Both have separable extra
        layers; predictors are dense in the first, separable in the second
"""

from dataclasses import replace
from typing import Any

from keras import layers

from detector.networks.extra_layers import separable_halving
from detector.networks.mobilenet_plan import EXTRAS, STAGES, V2_SOURCES
from detector.networks.units import TENSORFLOW, Units


def ssd300_v2(pictures: Any, *, folded: bool) -> dict[str, Any]:
    """Six feature maps of strides 16 to 512.

    folded  batch normalisation has become part of kernels and biases
    """
    units = replace(TENSORFLOW, folded=folded)
    maps = {}
    x = units.convolution(pictures, 32, 3, stride=2, name="Conv")
    number = 0
    for expansion, channels, blocks, first_stride in STAGES:
        for block in range(blocks):
            name = f"expanded_conv_{number}" if number else "expanded_conv"
            stride = first_stride if block == 0 else 1
            wide, x = _inverted_residual(x, expansion, channels, stride, units, name=name)
            if f"{name}_expand" == V2_SOURCES[0]:
                maps[V2_SOURCES[0]] = wide
            number += 1
    maps["Conv_1"] = x = units.convolution(x, 1280, 1, name="Conv_1")
    for extra, channels in enumerate(EXTRAS, start=2):
        name = f"layer_19_{extra}"
        maps[f"{name}_2"] = x = separable_halving(x, channels, units, name=name)
    return maps


def _inverted_residual(
    x: Any, expansion: int, channels: int, stride: int, units: Units, *, name: str
) -> tuple[Any, Any]:
    """The map at its widest, and what the block gives."""
    given = wide = x
    if expansion > 1:
        wide = units.convolution(x, expansion * x.shape[-1], 1, name=f"{name}_expand")
    x = units.depthwise(wide, 3, stride=stride, name=f"{name}_depthwise")
    x = units.convolution(x, channels, 1, activation="none", name=f"{name}_project")
    if stride == 1 and given.shape[-1] == channels:
        x = layers.Add(name=f"{name}_sum")([given, x])
    return wide, x
