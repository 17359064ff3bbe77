"""Convolutions of a Caffe network with the normalisation that belongs to each, as Keras wants them."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.errors import ImportFileError
from detector.importers.caffe_file import Layer, Net

Array: TypeAlias = NDArray[np.float32]

_CONVOLUTIONS = ("Convolution", "DepthwiseConvolution", "ConvolutionDepthwise")
_USUAL_EPSILON = 1e-5


@dataclass(slots=True, eq=False)
class Unit:
    """((x * kernel + bias) - mean) / sqrt(variance + epsilon) * scale + shift.

    kernel  (out, in, rows, columns), depthwise (channels, 1, rows, columns); all others (out,) or a number
    """

    kernel: Array
    bias: Array | float = 0.0
    is_normalised: bool = False
    mean: Array | float = 0.0
    variance: Array | float = 1.0
    epsilon: float = 0.0
    scale: Array | float = 1.0
    shift: Array | float = 0.0

    def folded(self, name: str) -> dict[str, Array]:
        """As a kernel and a bias that do all of it."""
        self._check(name)
        factor = self.scale / np.sqrt(self.variance + self.epsilon) * np.ones(len(self.kernel))
        bias = (self.bias - self.mean) * factor + self.shift
        return {
            f"{name}/kernel": _turned(self.kernel * factor[:, None, None, None]),
            f"{name}/bias": _real(bias),
        }

    def normalised(self, name: str, epsilon: float) -> dict[str, Array]:
        """As a kernel and batch normalisation with this epsilon; the bias joins the mean."""
        self._check(name)
        one = np.ones(len(self.kernel))
        return {
            f"{name}/kernel": _turned(self.kernel),
            f"{name}_norm/gamma": _real(one * self.scale),
            f"{name}_norm/beta": _real(one * self.shift),
            f"{name}_norm/moving_mean": _real(one * self.mean - self.bias),
            f"{name}_norm/moving_variance": _real(one * self.variance + (self.epsilon - epsilon)),
        }

    def _check(self, name: str) -> None:
        for each in (self.bias, self.mean, self.variance, self.scale, self.shift):
            if isinstance(each, np.ndarray) and each.shape != (len(self.kernel),):
                raise ValueError(f"{name} gives {len(self.kernel)} values, but {each.size} belong to them")


def gather_units(net: Net) -> tuple[dict[str, Unit], dict[str, Layer]]:
    """The convolutions by name, and the other layers that have weights.

    A BatchNorm or Scale belongs to the convolution whose result it reads, in place or not.
    raises  ImportFileError when a layer lacks an array
    """
    units: dict[str, Unit] = {}
    others: dict[str, Layer] = {}
    makers: dict[str, Unit] = {}  # of the value called so
    for layer in net.layers:
        made_by = next((makers[name] for name in layer.settings.bottom if name in makers), None)
        for name in layer.settings.top:
            makers.pop(name, None)
        if not layer.arrays:
            continue
        if layer.kind in _CONVOLUTIONS:
            made_by = units[layer.name] = _convolution(layer)
        elif layer.kind == "BatchNorm" and made_by is not None:
            _normalise(made_by, layer)
        elif layer.kind == "Scale" and made_by is not None:
            made_by.scale = made_by.scale * _vector(layer, 0)
            made_by.shift = made_by.shift * _vector(layer, 0) + (
                _vector(layer, 1) if len(layer.arrays) > 1 else 0
            )
        else:
            others[layer.name] = layer
            continue
        makers |= dict.fromkeys(layer.settings.top, made_by)
    return units, others


def _convolution(layer: Layer) -> Unit:
    kernel = layer.arrays[0]
    if kernel.ndim != 4:
        raise ImportFileError(
            f"The convolution {layer.name} has a kernel of {kernel.ndim} sides instead of 4."
        )
    return Unit(kernel, _vector(layer, 1) if len(layer.arrays) > 1 else 0.0)


def _normalise(unit: Unit, layer: Layer) -> None:
    """Caffe keeps sums, and beside them by how much to divide; 0 means that nothing was ever summed."""
    if len(layer.arrays) != 3 or layer.arrays[2].size != 1:
        raise ImportFileError(f"The normalisation {layer.name} lacks its mean, its variance or their factor.")
    factor = float(layer.arrays[2].reshape(()))
    share = 1 / factor if factor else 0.0
    settings = layer.settings.batch_norm_param
    unit.mean, unit.variance = _vector(layer, 0) * share, _vector(layer, 1) * share
    unit.epsilon = settings.eps if settings.HasField("eps") else _USUAL_EPSILON
    unit.is_normalised = True


def _vector(layer: Layer, index: int) -> Array:
    return layer.arrays[index].reshape(-1)


def _turned(kernel: NDArray[np.floating]) -> Array:
    """(out, in, rows, columns) -> (rows, columns, in, out); depthwise -> (rows, columns, channels, 1)."""
    is_depthwise = kernel.shape[1] == 1 and kernel.shape[0] > 1
    return np.ascontiguousarray(kernel.transpose((2, 3, 0, 1) if is_depthwise else (2, 3, 1, 0)), np.float32)


def _real(values: NDArray[np.floating]) -> Array:
    return values.astype(np.float32)
