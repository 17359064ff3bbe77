"""qfgaohao's vgg16-ssd and mb1-ssd."""

from detector.importers.torch_origin import Origin, predictors, unit
from detector.importers.torch_vgg import SOURCES_300, trunk
from detector.networks.mobilenet_plan import SOURCES

_HEADS = ("regression_headers.{}", "classification_headers.{}")


def _vgg_extras() -> dict[str, str]:
    """Each a row of two convolutions, ReLU after each."""
    return {
        f"{source[:-2]}_{part}": f"extras.{index}.{place}"
        for index, source in enumerate(SOURCES_300[2:])
        for part, place in ((1, 0), (2, 2))
    }


def _mobilenet_trunk() -> dict[str, str]:
    modules = unit("Conv2d_0", "base_net.0.0", "base_net.0.1")
    for number in range(1, 14):
        place = f"base_net.{number}"
        modules |= unit(f"Conv2d_{number}_depthwise", f"{place}.0", f"{place}.1")
        modules |= unit(f"Conv2d_{number}_pointwise", f"{place}.3", f"{place}.4")
    return modules


def _mobilenet_extras() -> dict[str, str]:
    return {
        f"Conv2d_{14 + index}_{kernel}": f"extras.{index}.{place}"
        for index in range(4)
        for kernel, place in (("1x1", 0), ("3x3", 2))
    }


VGG = Origin(
    what="qfgaohao's vgg16-ssd",
    architecture="ssd300-vgg16-qfgaohao",
    modules=trunk("base_net")
    | {"conv4_3_norm": "source_layer_add_ons.0"}
    | _vgg_extras()
    | predictors(SOURCES_300, *_HEADS),
    sources=SOURCES_300,
    layouts=("ssd300-voc-clamped",),
)
MOBILENET = Origin(
    what="qfgaohao's mb1-ssd",
    architecture="ssd300-mobilenet-v1-qfgaohao",
    modules=_mobilenet_trunk() | _mobilenet_extras() | predictors(SOURCES, *_HEADS),
    sources=SOURCES,
    layouts=("mobilenet-qfgaohao",),
)
