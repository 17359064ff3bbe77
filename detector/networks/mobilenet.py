"""MobileNet v1 with the extra layers of the TensorFlow Object Detection API.

source  ssd_mobilenet_v1 of that API: TensorFlow's 'same' padding (at stride 2 the extra row lies below and to
        the right), ReLU6, batch normalisation with epsilon 0.001; the trunk's layers keep their names
"""

from typing import Any

from detector.networks.convolutions import convolution_unit, depthwise_unit

# (stride, channels at width 1) of the pairs depthwise + pointwise, Conv2d_1 to Conv2d_13
_PAIRS = (
    (1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), (1, 512),
    (1, 512), (1, 512), (1, 512), (1, 512), (2, 1024), (1, 1024),
)  # fmt: skip
# channels at width 1 of the extra maps; each is a 1x1 to half of them, then a 3x3 with stride 2
_EXTRAS = (512, 256, 256, 128)


def ssd300_v1(pictures: Any, *, width: float, folded: bool) -> dict[str, Any]:
    """Six feature maps of strides 16 to 512.

    width   multiplies the channels everywhere, in the extra layers too; at least 8 remain
    folded  batch normalisation has become part of kernels and biases, as files for inference have it
    """

    def channels(at_width_1: int) -> int:
        return max(8, int(at_width_1 * width))

    maps = {}
    x = convolution_unit(pictures, channels(32), 3, stride=2, folded=folded, name="Conv2d_0")
    for number, (stride, full) in enumerate(_PAIRS, start=1):
        x = depthwise_unit(x, 3, stride=stride, folded=folded, name=f"Conv2d_{number}_depthwise")
        x = convolution_unit(x, channels(full), 1, folded=folded, name=f"Conv2d_{number}_pointwise")
        if number in (11, 13):
            maps[f"Conv2d_{number}_pointwise"] = x
    for number, full in enumerate(_EXTRAS, start=14):
        x = convolution_unit(x, channels(full // 2), 1, folded=folded, name=f"Conv2d_{number}_1x1")
        x = convolution_unit(x, channels(full), 3, stride=2, folded=folded, name=f"Conv2d_{number}_3x3")
        maps[f"Conv2d_{number}_3x3"] = x
    return maps
