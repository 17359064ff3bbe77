"""torchvision's ssd300_vgg16 and ssdlite320_mobilenet_v3_large."""

from detector.importers.torch_origin import Origin, predictors, unit
from detector.importers.torch_vgg import SOURCES_300

_BOXES, _CLASSES = "head.regression_head.module_list.{}", "head.classification_head.module_list.{}"

# conv1_1 to conv4_3 by their places in backbone.features
_FEATURES = {
    "conv1_1": 0, "conv1_2": 2, "conv2_1": 5, "conv2_2": 7, "conv3_1": 10, "conv3_2": 12, "conv3_3": 14,
    "conv4_1": 17, "conv4_2": 19, "conv4_3": 21,
}  # fmt: skip
# conv5_1 to fc7 in backbone.extra.0, where pooling stands first
_FIRST_EXTRA = {"conv5_1": "1", "conv5_2": "3", "conv5_3": "5", "fc6": "7.1", "fc7": "7.3"}

_EXTRAS = ("extra1_2", "extra2_2", "extra3_2", "extra4_2")
_SOURCES_V3 = ("block13_expand", "tail", *_EXTRAS)
_WEIGHING_BLOCKS = (4, 5, 6, 11, 12, 13, 14, 15)
_SPLIT_BLOCK = 13  # predicts at its widest, where the trunk is cut in two


def _vgg_modules() -> dict[str, str]:
    trunk = {ours: f"backbone.features.{place}" for ours, place in _FEATURES.items()}
    first = {ours: f"backbone.extra.0.{place}" for ours, place in _FIRST_EXTRA.items()}
    others = {
        f"conv{number}_{part}": f"backbone.extra.{number - 5}.{place}"
        for number in range(6, 10)
        for part, place in ((1, 0), (2, 2))
    }
    scale = {"conv4_3_norm": "backbone.scale_weight"}
    return trunk | scale | first | others | predictors(SOURCES_300, _BOXES, _CLASSES)


def _unit(ours: str, theirs: str) -> dict[str, str]:
    return unit(ours, f"{theirs}.0", f"{theirs}.1")


def _block(number: int) -> dict[str, str]:
    """An inverted residual: its layers stand in a row, those it lacks left out."""
    if number < _SPLIT_BLOCK:
        row = f"backbone.features.0.{number}.block"
    else:
        row = f"backbone.features.1.{number - _SPLIT_BLOCK}" + (".block" if number > _SPLIT_BLOCK else "")
    name, place = f"block{number}", 0
    modules: dict[str, str] = {}
    if number > 1:
        wide = f"backbone.features.0.{number}" if number == _SPLIT_BLOCK else f"{row}.0"
        modules |= _unit(f"{name}_expand", wide)
        place = 1
    modules |= _unit(f"{name}_depthwise", f"{row}.{place}")
    if number in _WEIGHING_BLOCKS:
        place += 1
        modules |= {f"{name}_squeeze": f"{row}.{place}.fc1", f"{name}_excite": f"{row}.{place}.fc2"}
    return modules | _unit(f"{name}_project", f"{row}.{place + 1}")


def _v3_modules() -> dict[str, str]:
    modules = _unit("stem", "backbone.features.0.0")
    for number in range(1, 16):
        modules |= _block(number)
    modules |= _unit("tail", "backbone.features.1.3")
    for index, extra in enumerate(_EXTRAS):
        for part, ours in enumerate((f"{extra[:-2]}_1", f"{extra}_depthwise", extra)):
            modules |= _unit(ours, f"backbone.extra.{index}.{part}")
    for kind, pattern in (("offsets", _BOXES), ("logits", _CLASSES)):
        for index, source in enumerate(_SOURCES_V3):
            place = pattern.format(index)
            modules |= _unit(f"{source}_{kind}_depthwise", f"{place}.0")
            modules[f"{source}_{kind}"] = f"{place}.1"
    return modules


SSD300 = Origin(
    what="torchvision's ssd300_vgg16",
    architecture="ssd300-vgg16-torchvision",
    modules=_vgg_modules(),
    sources=SOURCES_300,
    layouts=("torchvision-ssd300",),
)
SSDLITE = Origin(
    what="torchvision's ssdlite320_mobilenet_v3_large",
    architecture="ssdlite320-mobilenet-v3",
    modules=_v3_modules(),
    sources=_SOURCES_V3,
    layouts=("torchvision-ssdlite320",),
    card={"nms_iou": 0.55, "max_detections": 300},
)
