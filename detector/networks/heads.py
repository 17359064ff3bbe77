"""What predicts from a feature map: `channels` values for each of its cells."""

from typing import Any

from keras import layers

from detector.networks.initial_kernels import RandomKernel


def convolution_3x3(feature_map: Any, channels: int, *, name: str) -> Any:
    """The head of the paper: each cell sees its neighbours too."""
    return _head(channels, 3, name)(feature_map)


def convolution_1x1(feature_map: Any, channels: int, *, name: str) -> Any:
    """The head of the Object Detection API's MobileNets: each cell for itself."""
    return _head(channels, 1, name)(feature_map)


def _head(channels: int, kernel: int, name: str) -> layers.Layer:
    return layers.Conv2D(channels, kernel, padding="same", kernel_initializer=RandomKernel(1), name=name)
