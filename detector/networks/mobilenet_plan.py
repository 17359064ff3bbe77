"""The layers of MobileNet v1 with the extra layers of its SSDs, as a list.

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
    """One convolution; `channels` it gives, as many as it takes when it is depthwise."""

    name: str
    kernel: int
    stride: int
    channels: int
    depthwise: bool = False


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
