"""MobileNet v1 with four extra maps, in the manners of its three origins; one list of layers for all.

The layers keep the names of the Object Detection API.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from detector.networks.mobilenet_plan import SOURCES, Convolution, mobilenet_v1
from detector.networks.units import CAFFE, PYTORCH, TENSORFLOW, Units


def ssd300_v1(pictures: Any, *, width: float, folded: bool) -> dict[str, Any]:
    """Six feature maps of strides 16 to 512, as the TensorFlow Object Detection API has them.

    width   multiplies the channels everywhere, in the extra layers too
    folded  batch normalisation has become part of kernels and biases, as files for inference have it
    source  ssd_mobilenet_v1: ReLU6, and TensorFlow's padding
    """
    return _maps(pictures, mobilenet_v1(width), replace(TENSORFLOW, folded=folded))


def ssd300_v1_caffe(pictures: Any, *, width: float, folded: bool) -> dict[str, Any]:
    """The same layers as chuanqi305's MobileNet-SSD has them: ReLU, and padded on every side."""
    return _maps(pictures, mobilenet_v1(width), replace(CAFFE, folded=folded))


def ssd300_v1_qfgaohao(pictures: Any, *, width: float) -> dict[str, Any]:
    """As qfgaohao's mb1-ssd: the last map has twice the channels, and extra layers are not normalised."""
    plan = mobilenet_v1(width, extras=(512, 256, 256, 256))
    first_extra = next(index for index, each in enumerate(plan) if each.name == "Conv2d_14_1x1")
    maps = _maps(pictures, plan[:first_extra], PYTORCH)
    return maps | _maps(maps[SOURCES[1]], plan[first_extra:], replace(PYTORCH, folded=True))


def _maps(x: Any, plan: Iterable[Convolution], units: Units) -> dict[str, Any]:
    maps = {}
    for each in plan:
        if each.depthwise:
            x = units.depthwise(x, each.kernel, stride=each.stride, name=each.name)
        else:
            x = units.convolution(x, each.channels, each.kernel, stride=each.stride, name=each.name)
        if each.name in SOURCES:
            maps[each.name] = x
    return maps
