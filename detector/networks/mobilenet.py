"""MobileNet v1 with the extra layers of the TensorFlow Object Detection API.

source  ssd_mobilenet_v1 of that API: TensorFlow's 'same' padding (at stride 2 the extra row lies below and to
        the right), ReLU6, batch normalisation with epsilon 0.001; the trunk's layers keep their names
"""

from typing import Any

from detector.networks.convolutions import convolution_unit, depthwise_unit
from detector.networks.mobilenet_plan import SOURCES, mobilenet_v1


def ssd300_v1(pictures: Any, *, width: float, folded: bool) -> dict[str, Any]:
    """Six feature maps of strides 16 to 512.

    width   multiplies the channels everywhere, in the extra layers too
    folded  batch normalisation has become part of kernels and biases, as files for inference have it
    """
    maps = {}
    x = pictures
    for name, kernel, stride, channels, depthwise in mobilenet_v1(width):
        if depthwise:
            x = depthwise_unit(x, kernel, stride=stride, folded=folded, name=name)
        else:
            x = convolution_unit(x, channels, kernel, stride=stride, folded=folded, name=name)
        if name in SOURCES:
            maps[name] = x
    return maps
