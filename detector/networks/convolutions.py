"""The unit of the mobile networks: a convolution, batch normalisation unless it is folded, and ReLU6."""

from typing import Any

from keras import layers

from detector.networks.batch_normalisation import BatchNormalisation
from detector.networks.depthwise_convolution import DepthwiseConvolution
from detector.networks.initial_kernels import RandomKernel


def convolution_unit(x: Any, channels: int, kernel: int, *, stride: int = 1, folded: bool, name: str) -> Any:
    """Layers `name`, `name`_norm (unless folded; then `name` has a bias) and `name`_relu6."""
    start = RandomKernel(2)
    layer = layers.Conv2D(
        channels, kernel, stride, padding="same", use_bias=folded, kernel_initializer=start, name=name
    )
    return _activated(layer(x), folded, name)


def depthwise_unit(x: Any, kernel: int, *, stride: int = 1, folded: bool, name: str) -> Any:
    """The same with one filter for each channel."""
    start = RandomKernel(2, depthwise=True)
    layer = DepthwiseConvolution(
        kernel, stride, padding="same", use_bias=folded, depthwise_initializer=start, name=name
    )
    return _activated(layer(x), folded, name)


def _activated(x: Any, folded: bool, name: str) -> Any:
    if not folded:
        # as the Object Detection API trains; slow statistics, meant for its long schedules
        x = BatchNormalisation(momentum=0.9997, epsilon=0.001, name=f"{name}_norm")(x)
    return layers.ReLU(max_value=6.0, name=f"{name}_relu6")(x)
