"""The layers that go on from a trunk to ever smaller maps, as most SSDs make them.

Each is given how the network makes a convolution: function(x, channels, kernel, stride=, padding=, name=).
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from detector.networks.units import Units

Convolution: TypeAlias = Callable[..., Any]


def halving(x: Any, channels: int, convolution: Convolution, *, name: str) -> Any:
    """`name`_1, a 1x1 to half the channels; `name`_2, a 3x3 of stride 2."""
    x = convolution(x, channels // 2, 1, name=f"{name}_1")
    return convolution(x, channels, 3, stride=2, name=f"{name}_2")


def shrinking(x: Any, channels: int, convolution: Convolution, *, name: str) -> Any:
    """`name`_1, a 1x1 to half the channels; `name`_2, a 3x3 without padding: the map loses its border."""
    x = convolution(x, channels // 2, 1, name=f"{name}_1")
    return convolution(x, channels, 3, padding="valid", name=f"{name}_2")


def separable_halving(x: Any, channels: int, units: Units, *, name: str) -> Any:
    """`name`_1, a 1x1 to half the channels; `name`_2_depthwise, a 3x3 of stride 2; `name`_2, a 1x1."""
    x = units.convolution(x, channels // 2, 1, name=f"{name}_1")
    x = units.depthwise(x, 3, stride=2, name=f"{name}_2_depthwise")
    return units.convolution(x, channels, 1, name=f"{name}_2")
