"""What predicts from a feature map: `channels` values for each of its cells.

Each is given the options of its architecture, too, and heeds those it names.
"""

from dataclasses import replace
from typing import Any

from keras import layers

from detector.networks.initial_kernels import RandomKernel
from detector.networks.units import Units

# torchvision's ssdlite; the Object Detection API adds the same to the variance
_SEPARABLE = Units(activation="relu6", epsilon=0.001, momentum=0.97, pads_every_side=False)


def convolution_3x3(
    feature_map: Any, channels: int, /, *, name: str, padded_predictors: bool = True, **_: Any
) -> Any:
    """The head of the paper: each cell sees its neighbours too; unpadded, border cells predict nothing."""
    padding = "same" if padded_predictors else "valid"
    return _head(channels, 3, name, padding)(feature_map)


def convolution_1x1(feature_map: Any, channels: int, /, *, name: str, **_: Any) -> Any:
    """The head of the Object Detection API's MobileNet v1: each cell for itself."""
    return _head(channels, 1, name)(feature_map)


def separable_3x3(feature_map: Any, channels: int, /, *, name: str, folded: bool = False, **_: Any) -> Any:
    """SSDLite's head: a 3x3 channel by channel (`name`_depthwise), then a 1x1."""
    units = replace(_SEPARABLE, folded=folded)
    x = units.depthwise(feature_map, 3, name=f"{name}_depthwise")
    return _head(channels, 1, name)(x)


def _head(channels: int, kernel: int, name: str, padding: str = "same") -> layers.Layer:
    return layers.Conv2D(channels, kernel, padding=padding, kernel_initializer=RandomKernel(1), name=name)
