"""VGG16 with the extra layers of the SSD paper.

source  the Caffe original, its layer names too. It rounds pooled sizes up, as 'same' does; but it pads a 3x3
        of stride 2 on every side, where 'same' would pad maps of even size below and to the right only
"""

from typing import Any

from keras import layers

from detector.networks.initial_kernels import RandomKernel
from detector.networks.l2_normalisation import L2Normalisation

# (convolutions, channels) of the blocks conv1 to conv4
_BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512))


def ssd300(pictures: Any) -> dict[str, Any]:
    """Six feature maps: 38, 19, 10, 5, 3 and 1 cells a side at 300 pixels."""
    maps = trunk(pictures)
    x = maps["fc7"]
    for name, channels in (("conv6", 512), ("conv7", 256)):
        maps[f"{name}_2"] = x = _halving_extra(x, channels, name=name)
    for name in ("conv8", "conv9"):
        maps[f"{name}_2"] = x = _shrinking_extra(x, 256, name=name)
    return maps


def trunk(pictures: Any) -> dict[str, Any]:
    """conv1_1 to fc7; the maps conv4_3_norm (stride 8) and fc7 (stride 16)."""
    maps = {}
    x = pictures
    for block, (convolutions, channels) in enumerate(_BLOCKS, start=1):
        for number in range(1, convolutions + 1):
            x = _convolution(x, channels, 3, name=f"conv{block}_{number}")
        if block == 4:  # only the head reads the normalised map; the trunk goes on with conv4_3 itself
            maps["conv4_3_norm"] = L2Normalisation(20.0, name="conv4_3_norm")(x)
        x = layers.MaxPooling2D(2, 2, padding="same", name=f"pool{block}")(x)
    for number in (1, 2, 3):
        x = _convolution(x, 512, 3, name=f"conv5_{number}")
    x = layers.MaxPooling2D(3, 1, padding="same", name="pool5")(x)
    x = _convolution(x, 1024, 3, dilation=6, name="fc6")
    maps["fc7"] = _convolution(x, 1024, 1, name="fc7")
    return maps


def _halving_extra(x: Any, channels: int, *, name: str) -> Any:
    """A 1x1 to half the channels, then a 3x3 of stride 2 padded by one pixel on every side."""
    x = _convolution(x, channels // 2, 1, name=f"{name}_1")
    x = layers.ZeroPadding2D(1, name=f"{name}_padding")(x)
    return _convolution(x, channels, 3, stride=2, padding="valid", name=f"{name}_2")


def _shrinking_extra(x: Any, channels: int, *, name: str) -> Any:
    """A 1x1 to half the channels, then a 3x3 without padding: the map loses its border."""
    x = _convolution(x, channels // 2, 1, name=f"{name}_1")
    return _convolution(x, channels, 3, padding="valid", name=f"{name}_2")


def _convolution(
    x: Any,
    channels: int,
    kernel: int,
    *,
    stride: int = 1,
    padding: str = "same",
    dilation: int = 1,
    name: str,
) -> Any:
    layer = layers.Conv2D(
        channels,
        kernel,
        stride,
        padding,
        dilation_rate=dilation,
        activation="relu",
        kernel_initializer=RandomKernel(2),
        name=name,
    )
    return layer(x)
