"""What predicts from a feature map: `channels` values for each of its cells."""

from typing import Any

from keras import layers


def convolution_3x3(feature_map: Any, channels: int, *, name: str) -> Any:
    """The head of the paper: each cell sees its neighbours too."""
    return layers.Conv2D(channels, 3, padding="same", name=name)(feature_map)


def convolution_1x1(feature_map: Any, channels: int, *, name: str) -> Any:
    """The head of the Object Detection API's MobileNets: each cell for itself."""
    return layers.Conv2D(channels, 1, name=name)(feature_map)
