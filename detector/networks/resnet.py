"""ResNet-50 up to its fourth stage, with extra layers: NVIDIA's SSD300.

source  DeepLearningExamples' PyTorch SSD on torchvision's ResNet-50: the stride of a stage is in the 3x3 of
        its first block; the fourth stage has none, so that its map has as many cells as VGG16's conv4_3
"""

from typing import Any

from keras import layers

from detector.networks.extra_layers import halving, shrinking
from detector.networks.units import PYTORCH

# (blocks, channels inside, stride) of the stages conv2 to conv4
_STAGES = ((3, 64, 1), (4, 128, 2), (6, 256, 1))
_WIDER = 4  # a block gives so many times the channels it has inside


def ssd300_resnet50(pictures: Any) -> dict[str, Any]:
    """Six feature maps: 38, 19, 10, 5, 3 and 1 cells a side at 300 pixels."""
    x = PYTORCH.convolution(pictures, 64, 7, stride=2, name="conv1")
    x = layers.ZeroPadding2D(1, name="pool1_padding")(x)  # zeros do not win: ReLU went before
    x = layers.MaxPooling2D(3, 2, name="pool1")(x)
    for stage, (blocks, channels, stride) in enumerate(_STAGES, start=2):
        for block in range(1, blocks + 1):
            x = _block(x, channels, stride if block == 1 else 1, name=f"conv{stage}_{block}")
    maps = {"conv4": x}
    for number, channels in enumerate((512, 512, 256), start=1):
        maps[f"extra{number}_2"] = x = halving(x, channels, PYTORCH.convolution, name=f"extra{number}")
    for number in (4, 5):
        maps[f"extra{number}_2"] = x = shrinking(x, 256, PYTORCH.convolution, name=f"extra{number}")
    return maps


def _block(x: Any, channels: int, stride: int, *, name: str) -> Any:
    """`name`_a, _b and _c beside a shortcut: `name`_shortcut, where channels or size change."""
    given = x
    x = PYTORCH.convolution(x, channels, 1, name=f"{name}_a")
    x = PYTORCH.convolution(x, channels, 3, stride=stride, name=f"{name}_b")
    x = PYTORCH.convolution(x, channels * _WIDER, 1, activation="none", name=f"{name}_c")
    if given.shape[-1] != channels * _WIDER:
        given = PYTORCH.convolution(
            given, channels * _WIDER, 1, stride=stride, activation="none", name=f"{name}_shortcut"
        )
    x = layers.Add(name=f"{name}_sum")([x, given])
    return layers.Activation("relu", name=f"{name}_relu")(x)
