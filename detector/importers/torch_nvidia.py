"""NVIDIA's SSD300 on ResNet-50, of its DeepLearningExamples."""

import numpy as np

from detector.importers.torch_origin import Array, Origin, predictors, unit

_TRUNK = "feature_extractor.feature_extractor"
_SOURCES = ("conv4", *(f"extra{number}_2" for number in range(1, 6)))
# the stages conv2 to conv4 by their places in the trunk, and their blocks
_STAGES = {2: (4, 3), 3: (5, 4), 4: (6, 6)}


def _modules() -> dict[str, str]:
    modules = unit("conv1", f"{_TRUNK}.0", f"{_TRUNK}.1")
    for stage, (place, blocks) in _STAGES.items():
        for block in range(1, blocks + 1):
            ours, theirs = f"conv{stage}_{block}", f"{_TRUNK}.{place}.{block - 1}"
            for number, part in enumerate("abc", start=1):
                modules |= unit(f"{ours}_{part}", f"{theirs}.conv{number}", f"{theirs}.bn{number}")
            if block == 1:
                modules |= unit(f"{ours}_shortcut", f"{theirs}.downsample.0", f"{theirs}.downsample.1")
    for index in range(5):
        ours, theirs = f"extra{index + 1}", f"additional_blocks.{index}"
        modules |= unit(f"{ours}_1", f"{theirs}.0", f"{theirs}.1")
        modules |= unit(f"{ours}_2", f"{theirs}.3", f"{theirs}.4")
    return modules | predictors(_SOURCES, "loc.{}", "conf.{}")


def _anchor_first(array: Array, anchors: int) -> Array:
    """(..., values * anchors) to (..., anchors * values): theirs has all anchors of the first value first."""
    by_value = array.reshape(*array.shape[:-1], -1, anchors)
    return np.ascontiguousarray(np.swapaxes(by_value, -1, -2).reshape(array.shape))


SSD300 = Origin(
    what="NVIDIA's SSD300 on ResNet-50",
    architecture="ssd300-resnet50",
    modules=_modules(),
    sources=_SOURCES,
    layouts=("ssd300-coco-clamped",),
    heads=_anchor_first,
)
