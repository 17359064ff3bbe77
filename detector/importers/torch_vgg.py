"""amdegroot's SSD300 and lufficc's SSD300 and SSD512, which share how VGG16 is numbered."""

from detector.importers.torch_origin import Origin, predictors
from detector.networks.architectures import Preprocessing

MINUS_MEAN_RGB = Preprocessing("RGB", (123.0, 117.0, 104.0))
SOURCES_300 = ("conv4_3_norm", "fc7", "conv6_2", "conv7_2", "conv8_2", "conv9_2")
SOURCES_512 = (*SOURCES_300, "conv10_2")

# the places of the convolutions in a row with ReLU and pooling
_TRUNK = {
    "conv1_1": 0, "conv1_2": 2, "conv2_1": 5, "conv2_2": 7, "conv3_1": 10, "conv3_2": 12, "conv3_3": 14,
    "conv4_1": 17, "conv4_2": 19, "conv4_3": 21, "conv5_1": 24, "conv5_2": 26, "conv5_3": 28,
    "fc6": 31, "fc7": 33,
}  # fmt: skip
_LAYOUTS_300 = ("ssd300-voc-clamped", "ssd300-coco-clamped")
_LAYOUTS_512 = ("ssd512-voc-clamped", "ssd512-coco-clamped")


def trunk(prefix: str) -> dict[str, str]:
    """conv1_1 to fc7 by their places."""
    return {ours: f"{prefix}.{place}" for ours, place in _TRUNK.items()}


def extras(sources: tuple[str, ...], prefix: str) -> dict[str, str]:
    """conv6_1, conv6_2 and so on, one after the other."""
    names = [f"{source[:-2]}_{part}" for source in sources[2:] for part in (1, 2)]
    return {ours: f"{prefix}.{place}" for place, ours in enumerate(names)}


AMDEGROOT = Origin(
    what="amdegroot's SSD300 on VGG16",
    architecture="ssd300-vgg16",
    modules=trunk("vgg")
    | {"conv4_3_norm": "L2Norm"}
    | extras(SOURCES_300, "extras")
    | predictors(SOURCES_300, "loc.{}", "conf.{}"),
    sources=SOURCES_300,
    layouts=_LAYOUTS_300,
    preprocessing=MINUS_MEAN_RGB,
)


def _lufficc(size: int, sources: tuple[str, ...], layouts: tuple[str, str]) -> Origin:
    return Origin(
        what=f"lufficc's SSD{size} on VGG16",
        architecture=f"ssd{size}-vgg16",
        modules=trunk("backbone.vgg")
        | {"conv4_3_norm": "backbone.l2_norm"}
        | extras(sources, "backbone.extras")
        | predictors(sources, "box_head.predictor.reg_headers.{}", "box_head.predictor.cls_headers.{}"),
        sources=sources,
        layouts=layouts,
        preprocessing=MINUS_MEAN_RGB,
        card={"max_detections": 100},
    )


LUFFICC = (_lufficc(300, SOURCES_300, _LAYOUTS_300), _lufficc(512, SOURCES_512, _LAYOUTS_512))
