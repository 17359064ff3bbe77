"""The layers of MobileNet v1 and v2 with the extra layers of their SSDs, as lists.

Needs no Keras: the network is built from it, and importers look for it in other people's files.
"""

from collections.abc import Sequence
from typing import NamedTuple

# (stride, channels at width 1) of the pairs depthwise + pointwise, Conv2d_1 to Conv2d_13
_PAIRS = (
    (1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), (1, 512),
    (1, 512), (1, 512), (1, 512), (1, 512), (2, 1024), (1, 1024),
)  # fmt: skip
EXTRAS = (512, 256, 256, 128)  # of the Object Detection API, and of the Caffe network

# the layers that predict
SOURCES = ("Conv2d_11_pointwise", "Conv2d_13_pointwise", *(f"Conv2d_{n}_3x3" for n in range(14, 18)))


class Convolution(NamedTuple):
    """One convolution; `channels` it gives, as many as it takes when it is depthwise.

    is_linear  no activation follows
    is_summed  what its block was given is added
    """

    name: str
    kernel: int
    stride: int
    channels: int
    depthwise: bool = False
    is_linear: bool = False
    is_summed: bool = False


def mobilenet_v1(width: float, extras: Sequence[int] = EXTRAS) -> list[Convolution]:
    """All convolutions from the picture to the smallest map, each on what the one before it gives.

    width   multiplies the channels everywhere, in the extra layers too; at least 8 remain
    extras  channels at width 1 of the extra maps, Conv2d_14 to Conv2d_17
    """

    def scaled(channels: int) -> int:
        return max(8, int(channels * width))

    plan = [Convolution("Conv2d_0", 3, 2, scaled(32))]
    for number, (stride, full) in enumerate(_PAIRS, start=1):
        before = plan[-1].channels
        plan.append(Convolution(f"Conv2d_{number}_depthwise", 3, stride, before, depthwise=True))
        plan.append(Convolution(f"Conv2d_{number}_pointwise", 1, 1, scaled(full)))
    for number, full in enumerate(extras, start=14):
        plan.append(Convolution(f"Conv2d_{number}_1x1", 1, 1, scaled(full // 2)))
        plan.append(Convolution(f"Conv2d_{number}_3x3", 3, 2, scaled(full)))
    return plan


# (expansion, channels, blocks, stride of the first) of the inverted residuals of v2
STAGES = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip

# the layers of v2 that predict: the first is the last map of stride 16, at its widest
V2_SOURCES = ("expanded_conv_13_expand", "Conv_1", *(f"layer_19_{number}_2" for number in range(2, 6)))


def mobilenet_v2() -> list[Convolution]:
    """All convolutions of v2 in the order they run, with the API's separable extra layers."""
    plan = [Convolution("Conv", 3, 2, 32)]
    for expansion, channels, blocks, first_stride in STAGES:
        for block in range(blocks):
            number = sum(each.name.endswith("_project") for each in plan)
            name, given = f"expanded_conv_{number}" if number else "expanded_conv", plan[-1].channels
            if expansion > 1:
                plan.append(Convolution(f"{name}_expand", 1, 1, expansion * given))
            stride = 1 if block else first_stride
            plan.append(Convolution(f"{name}_depthwise", 3, stride, plan[-1].channels, depthwise=True))
            is_summed = stride == 1 and channels == given
            plan.append(Convolution(f"{name}_project", 1, 1, channels, is_linear=True, is_summed=is_summed))
    plan.append(Convolution("Conv_1", 1, 1, 1280))
    for extra, channels in enumerate(EXTRAS, start=2):
        plan.append(Convolution(f"layer_19_{extra}_1", 1, 1, channels // 2))
        plan.append(Convolution(f"layer_19_{extra}_2_depthwise", 3, 2, channels // 2, depthwise=True))
        plan.append(Convolution(f"layer_19_{extra}_2", 1, 1, channels))
    return plan
