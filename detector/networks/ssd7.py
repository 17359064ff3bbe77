"""A small SSD of seven convolutions, to be trained from nothing on pictures of any size.

source  pierluigiferrari's SSD7: its convolutions have a bias although normalisation follows; ELU; maps are
        halved by pooling that leaves an odd row out
"""

from typing import Any

from keras import layers

from detector.networks.batch_normalisation import BatchNormalisation
from detector.networks.initial_kernels import RandomKernel

_CHANNELS = (32, 48, 64, 64, 48, 48, 32)
_FIRST_MAP = 4


def ssd7(pictures: Any, *, padded_predictors: bool) -> dict[str, Any]:
    """Four feature maps of strides 8 to 64: conv4 to conv7.

    padded_predictors  is for the head: the port left the border of its maps out until 2018
    """
    maps = {}
    x = pictures
    for number, channels in enumerate(_CHANNELS, start=1):
        if number > 1:
            x = layers.MaxPooling2D(2, name=f"pool{number - 1}")(x)
        x = _unit(x, channels, 5 if number == 1 else 3, name=f"conv{number}")
        if number >= _FIRST_MAP:
            maps[f"conv{number}"] = x
    return maps


def _unit(x: Any, channels: int, kernel: int, *, name: str) -> Any:
    x = layers.Conv2D(channels, kernel, padding="same", kernel_initializer=RandomKernel(2), name=name)(x)
    x = BatchNormalisation(momentum=0.99, epsilon=0.001, name=f"{name}_norm")(x)
    return layers.ELU(name=f"{name}_elu")(x)
