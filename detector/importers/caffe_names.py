"""The networks that Caffe published, by the names of their layers; ports to Keras kept those names."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from detector.networks.mobilenet_plan import SOURCES

_HEAD = re.compile(
    r"(?P<source>\w+?)_mbox_(?P<kind>loc|conf)(_flat)?(_\d+|_new)?"
)  # _21: rykov8's class count
_KINDS = {"loc": "offsets", "conf": "logits"}
_VGG = ("conv4_3_norm", "fc7", "conv6_2", "conv7_2", "conv8_2")
_VGG_TRUNK = re.compile(r"conv[1-5]_[1-3]|fc[67]|conv4_3_norm|conv([6-9]|10)_[12]")
_MOBILENET_TRUNK = re.compile(r"conv(?P<number>\d+)(?P<part>/dw|_1|_2)?")


@dataclass(frozen=True, slots=True)
class Plan:
    """A published network.

    sources  our names of the layers that predict, finest map first
    ours     the name of a layer of theirs here; None for one that this network has not
    """

    architecture: str
    what: str
    sources: tuple[str, ...]
    ours: Callable[[str], str | None]


def _vgg_name(theirs: str) -> str | None:
    if head := _HEAD.fullmatch(theirs):
        return f"{head['source']}_{_KINDS[head['kind']]}"
    return theirs if _VGG_TRUNK.fullmatch(theirs) else None


def _mobilenet_name(theirs: str) -> str | None:
    if head := _HEAD.fullmatch(theirs):
        source = _mobilenet_name(head["source"])
        return source and f"{source}_{_KINDS[head['kind']]}"
    trunk = _MOBILENET_TRUNK.fullmatch(theirs)
    if trunk is None:
        return None
    number, part = int(trunk["number"]), trunk["part"]
    if number == 0:
        return "Conv2d_0"
    parts = {"/dw": "depthwise", None: "pointwise"} if number < 14 else {"_1": "1x1", "_2": "3x3"}
    return f"Conv2d_{number}_{parts[part]}" if part in parts else None


_PLANS = (
    Plan("ssd300-vgg16", "SSD300 on VGG16", (*_VGG, "conv9_2"), _vgg_name),
    Plan("ssd512-vgg16", "SSD512 on VGG16", (*_VGG, "conv9_2", "conv10_2"), _vgg_name),
    Plan("ssd300-vgg16-v1", "the first version of SSD300 on VGG16", (*_VGG, "pool6"), _vgg_name),
    Plan("ssd300-mobilenet-v1-caffe", "MobileNet-SSD of Caffe", SOURCES, _mobilenet_name),
)


def find_plan(layers: Iterable[str]) -> Plan | None:
    """The network whose layers all have the right names; None when there is none."""
    names = set(layers)
    for plan in _PLANS:
        ours = {plan.ours(name) for name in names}
        heads = {f"{source}_{kind}" for source in plan.sources for kind in _KINDS.values()}
        if heads <= ours and heads == {
            name for name in ours if name and name.endswith(tuple(_KINDS.values()))
        }:
            return plan
    return None


def is_vgg_backbone(layers: Iterable[str]) -> bool:
    """VGG16 with reduced fc6 and fc7, what every SSD on VGG16 was trained from."""
    return {"conv1_1", "conv4_3", "conv5_3", "fc6", "fc7"} <= set(layers)
