"""How large the maps of a described Caffe network are."""

from math import ceil
from typing import Any, TypeAlias

from detector.importers.caffe_file import Net

Size: TypeAlias = tuple[int, int]


def map_sizes(net: Net, image: Size) -> dict[str, Size]:
    """(height, width) of every value of the network that is a map, by its name.

    image  (height, width) of the pictures. Layers that do not change the size hand it on.
    """
    sizes: dict[str, Size] = {}
    for layer in net.layers:
        bottoms = [name for name in layer.settings.bottom if name in sizes]
        result = sizes[bottoms[0]] if bottoms else image
        if layer.kind == "Pooling":
            result = _pooled(result, layer.settings.pooling_param)
        elif layer.kind.endswith("onvolution") or layer.kind == "ConvolutionDepthwise":
            result = _convolved(result, layer.settings.convolution_param)
        sizes |= dict.fromkeys(layer.settings.top, result)
    return sizes


def _convolved(size: Size, settings: Any) -> Size:
    dilation = (list(settings.dilation) or [1])[0]
    return _pair(
        (side + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
        for side, (kernel, stride, pad) in zip(size, _windows(settings))
    )


def _pooled(size: Size, settings: Any) -> Size:
    """Rounded up, unlike convolutions; a window may not begin outside the map."""
    if settings.global_pooling:
        return 1, 1
    sides = []
    for side, (kernel, stride, pad) in zip(size, _windows(settings)):
        cells = ceil((side + 2 * pad - kernel) / stride) + 1
        sides.append(cells - 1 if pad and (cells - 1) * stride >= side + pad else cells)
    return _pair(sides)


def _pair(sides: Any) -> Size:
    height, width = sides
    return max(1, height), max(1, width)


def _windows(settings: Any) -> list[tuple[int, int, int]]:
    """(kernel, stride, pad) downwards and across."""
    return [
        (
            _setting(settings, "kernel_size", f"kernel_{axis}", index, 1),
            max(1, _setting(settings, "stride", f"stride_{axis}", index, 1)),
            _setting(settings, "pad", f"pad_{axis}", index, 0),
        )
        for index, axis in enumerate("hw")
    ]


def _setting(settings: Any, both: str, single: str, index: int, usual: int) -> int:
    """Given for one side, or for both: as a number, or of a convolution as a list of one or two."""
    if settings.HasField(single):
        return int(getattr(settings, single))
    value = getattr(settings, both)
    if isinstance(value, int):
        return value if settings.HasField(both) else usual
    values = list(value)
    return int(values[min(index, len(values) - 1)]) if values else usual
