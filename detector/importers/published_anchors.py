"""Which anchors weights of a published network may have when their file does not hold them."""

from collections.abc import Mapping
from typing import NamedTuple

_VGG = {"ssd300-vgg16": ("ssd300-voc", "ssd300-coco"), "ssd512-vgg16": ("ssd512-voc", "ssd512-coco")}
_COCO_COLUMNS = 81  # 80 classes and background


class Fitting(NamedTuple):
    """Names of LAYOUTS, each with when it is right; `why` it is certain if there is only one."""

    layouts: Mapping[str, str]
    why: str | None = None


def fitting_anchors(architecture: str, columns: int, *, exact: bool) -> Fitting:
    """What weights with so many scores an anchor may have.

    exact  anchor sizes as they are written, where Caffe cuts them to whole pixels
    """
    if architecture == "ssd7":
        words = "scales .08 .16 .32 .64 .96, ratios 1/2 1 2: the port's own example"
        return Fitting({"ssd7-300x480": words})
    if architecture == "ssd300-mobilenet-v1-caffe":
        return Fitting({"mobilenet-ssd-caffe": ""}, "MobileNet-SSD was published with one set of anchors")
    if architecture == "ssd300-vgg16-v1":
        return Fitting({"ssd300-rykov8": ""}, "the first version of SSD300 has one set of anchors")
    suffix = "-exact" if exact and architecture == "ssd512-vgg16" else ""
    voc, coco = (f"{name}{suffix}" for name in _VGG[architecture])
    if columns == _COCO_COLUMNS:
        return Fitting({coco: ""}, "these weights were trained on COCO")
    return Fitting({voc: "trained on VOC", coco: "trained on COCO, or on COCO and then on others"})
