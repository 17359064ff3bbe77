"""VGG16 with the extra layers of the SSD paper.

source  the Caffe original, its layer names too. It rounds pooled sizes up, as 'same' does; but it pads a 3x3
        of stride 2 on every side, where 'same' would pad maps of even size below and to the right only
"""

from typing import Any

from keras import layers

from detector.networks import heads
from detector.networks.batch_normalisation import BatchNormalisation
from detector.networks.extra_layers import halving, shrinking
from detector.networks.initial_kernels import RandomKernel
from detector.networks.l2_normalisation import L2Normalisation
from detector.networks.units import PYTORCH

# (convolutions, channels) of the blocks conv1 to conv4
_BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512))


def ssd300(pictures: Any) -> dict[str, Any]:
    """Six feature maps: 38, 19, 10, 5, 3 and 1 cells a side at 300 pixels."""
    return _ssd300(trunk(pictures))


def ssd300_qfgaohao(pictures: Any) -> dict[str, Any]:
    """The same as qfgaohao's vgg16-ssd: batch normalisation where the paper has that by length."""
    norm = BatchNormalisation(momentum=PYTORCH.momentum, epsilon=PYTORCH.epsilon, name="conv4_3_norm")
    return _ssd300(trunk(pictures, norm))


def _ssd300(maps: dict[str, Any]) -> dict[str, Any]:
    maps["conv6_2"] = x = halving(maps["fc7"], 512, _convolution, name="conv6")
    maps["conv7_2"] = x = halving(x, 256, _convolution, name="conv7")
    maps["conv8_2"] = x = shrinking(x, 256, _convolution, name="conv8")
    maps["conv9_2"] = shrinking(x, 256, _convolution, name="conv9")
    return maps


def ssd512(pictures: Any) -> dict[str, Any]:
    """Seven feature maps: 64, 32, 16, 8, 4, 2 and 1 cells a side at 512 pixels."""
    maps = trunk(pictures)
    x = maps["fc7"]
    for name, channels in (("conv6", 512), ("conv7", 256), ("conv8", 256), ("conv9", 256)):
        maps[f"{name}_2"] = x = halving(x, channels, _convolution, name=name)
    x = _convolution(x, 128, 1, name="conv10_1")
    x = layers.ZeroPadding2D(1, name="conv10_2_padding")(x)
    maps["conv10_2"] = _convolution(x, 256, 4, padding="valid", name="conv10_2")
    return maps


def ssd300_v1(pictures: Any) -> dict[str, Any]:
    """The first version of the paper, as rykov8 ported it: the last map is the mean of the one before."""
    maps = trunk(pictures)
    x = maps["fc7"]
    for name, channels in (("conv6", 512), ("conv7", 256), ("conv8", 256)):
        maps[f"{name}_2"] = x = halving(x, channels, _convolution, name=name)
    maps["pool6"] = layers.GlobalAveragePooling2D(keepdims=True, name="pool6")(x)
    return maps


def head_v1(feature_map: Any, channels: int, /, *, name: str) -> Any:
    """3x3, and on the mean of a map, which has no neighbours, 1x1: the port's fully connected layer."""
    is_mean = name.startswith("pool6")
    return (heads.convolution_1x1 if is_mean else heads.convolution_3x3)(feature_map, channels, name=name)


def trunk(pictures: Any, normalise: layers.Layer | None = None) -> dict[str, Any]:
    """conv1_1 to fc7; the maps conv4_3_norm (stride 8) and fc7 (stride 16).

    normalise  makes the first map, whose values are larger, of conv4_3; default: by length
    """
    maps = {}
    x = pictures
    for block, (convolutions, channels) in enumerate(_BLOCKS, start=1):
        for number in range(1, convolutions + 1):
            x = _convolution(x, channels, 3, name=f"conv{block}_{number}")
        if block == 4:  # only the head reads the normalised map; the trunk goes on with conv4_3 itself
            normalise = normalise or L2Normalisation(20.0, name="conv4_3_norm")
            maps["conv4_3_norm"] = normalise(x)
        x = layers.MaxPooling2D(2, 2, padding="same", name=f"pool{block}")(x)
    for number in (1, 2, 3):
        x = _convolution(x, 512, 3, name=f"conv5_{number}")
    x = layers.MaxPooling2D(3, 1, padding="same", name="pool5")(x)
    x = _convolution(x, 1024, 3, dilation=6, name="fc6")
    maps["fc7"] = _convolution(x, 1024, 1, name="fc7")
    return maps


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
    if stride > 1:
        x, padding = layers.ZeroPadding2D(kernel // 2, name=f"{name}_padding")(x), "valid"
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
