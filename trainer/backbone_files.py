"""Convolutions of pretrained backbones, out of files or of Keras Applications, in the order they run in."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from detector.errors import ImportFileError, TrainingError
from detector.importers.recognition import Kind, recognise
from detector.networks.catalog import find_architecture

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Normalisation:
    """Batch normalisation: scale * (x - mean) / sqrt(variance + epsilon) + shift, each (channels,)."""

    scale: Array
    shift: Array
    mean: Array
    variance: Array
    epsilon: float = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """A convolution and what directly follows it.

    kernel  (rows, columns, in, out); depthwise (rows, columns, channels, 1)
    bias    None where there is none, as before a normalisation
    """

    name: str
    depthwise: bool
    kernel: Array
    bias: Array | None
    normalisation: Normalisation | None

    @property
    def channels(self) -> int:
        return int(self.kernel.shape[2] if self.depthwise else self.kernel.shape[3])

    def folded(self) -> "Unit":
        """The same function without normalisation, by another kernel and a bias."""
        if self.normalisation is None:
            bias = np.zeros(self.channels, np.float32) if self.bias is None else self.bias
            return replace(self, bias=bias)
        norm = self.normalisation
        factor = norm.scale / np.sqrt(norm.variance + norm.epsilon)
        bias = norm.shift + ((0 if self.bias is None else self.bias) - norm.mean) * factor
        kernel = self.kernel * (factor[:, None] if self.depthwise else factor)
        return replace(self, kernel=kernel, bias=bias.astype(np.float32), normalisation=None)

    def normalised(self, epsilon: float) -> "Unit":
        """The same function without bias, by a normalisation that does nothing but add the bias."""
        if self.normalisation is not None:
            return self
        one = np.ones(self.channels, np.float32)
        shift = np.zeros_like(one) if self.bias is None else self.bias
        norm = Normalisation(one, shift, np.zeros_like(one), one - np.float32(epsilon), epsilon)
        return replace(self, bias=None, normalisation=norm)


def read_backbone(path: Path) -> list[Unit]:
    """The convolutions of a file: Keras HDF5 (weights or whole model), TFLite or a Caffe model.

    raises  ImportFileError when the file is neither, is damaged, or holds no convolutions
    """
    readers = {Kind.TFLITE: _of_tflite, Kind.HDF5: _of_keras, Kind.CAFFEMODEL: _of_caffe}
    kind = recognise(path)
    if kind not in readers:
        raise ImportFileError(
            f"{path.name} is neither a Keras HDF5 file nor a TFLite file nor a Caffe model."
        )
    units = list(readers[kind](path))
    if not units:
        raise ImportFileError(f"{path.name} holds no convolutions that could start a backbone.")
    return units


def fetch_backbone(architecture: str, options: Mapping[str, Any]) -> list[Unit]:
    """The convolutions that Keras Applications learnt on ImageNet; downloaded once, then kept by Keras.

    options  of the architecture; `width` must be one that was published
    raises   TrainingError when nobody published any for it, or the network cannot be reached
    """
    import keras

    application = find_architecture(architecture).keras_application
    if not application:
        raise TrainingError(
            f"Keras Applications has no backbone of {architecture}; name a file after --backbone-weights."
        )
    width = {"alpha": float(options["width"])} if "width" in options else {}
    build = getattr(keras.applications, application)
    try:
        model = build(weights="imagenet", include_top=False, input_shape=(224, 224, 3), **width)
    except Exception as error:  # Keras tells a lost connection and a width nobody published each its own way
        raise TrainingError(
            f"The ImageNet weights of {application} could not be fetched ({error}); "
            "name a file after --backbone-weights instead."
        ) from error
    return list(units_of(model))


def units_of(model: Any) -> Iterator[Unit]:
    """The convolutions of a Keras model whose layers stand in the order in which they run."""
    return _units((layer.name, _values(layer)) for layer in model.layers)


def _of_tflite(path: Path) -> Iterator[Unit]:
    from detector.importers.tflite_graph import read_graph

    graph = read_graph(path)
    for operator in graph.operators:
        if operator.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            continue
        kernel = graph.constant(operator.inputs[1]).transpose(1, 2, 3, 0)
        bias = graph.constant(operator.inputs[2])
        name = graph.tensors[operator.outputs[0]].name
        yield Unit(name, operator.kind == "DEPTHWISE_CONV_2D", np.ascontiguousarray(kernel), bias, None)


def _of_caffe(path: Path) -> Iterator[Unit]:
    from detector.importers.caffe_file import read_caffemodel
    from detector.importers.caffe_units import gather_units

    units, _ = gather_units(read_caffemodel(path))
    for name, unit in units.items():
        try:
            folded = unit.folded(name)
        except ValueError as error:  # arrays that do not go together
            raise ImportFileError(f"{path.name} contradicts itself: {error}; fetch it again.") from error
        kernel = folded[f"{name}/kernel"]
        yield Unit(name, kernel.shape[3] == 1, kernel, folded[f"{name}/bias"], None)


def _of_keras(path: Path) -> Iterator[Unit]:
    try:
        with h5py.File(path, "r") as file:
            layers = _layers(file)
    except (OSError, KeyError, RuntimeError, ValueError) as error:  # HDF5 has one for each part of a file
        raise ImportFileError(f"{path.name} is damaged or not complete ({error}); fetch it again.") from error
    if layers is None:
        raise ImportFileError(f"{path.name} does not say the order of its layers, as Keras' .h5 files do.")
    yield from _units(layers)


def _layers(file: h5py.File) -> list[tuple[str, dict[str, Array]]] | None:
    """Names and arrays of the layers in their order; None where the file does not say that."""
    group = file.get("model_weights", file)
    if "layer_names" not in group.attrs:
        return None
    names = [raw.decode() if isinstance(raw, bytes) else str(raw) for raw in group.attrs["layer_names"]]
    return [(name, _variables(group[name])) for name in names]


def _units(layers: Iterable[tuple[str, Mapping[str, Array]]]) -> Iterator[Unit]:
    """Convolutions, each with the normalisation that comes next if any, out of names and arrays of layers."""
    waiting: Unit | None = None
    for name, values in layers:
        kernel = values.get("depthwise_kernel", values.get("kernel"))
        if kernel is not None and kernel.ndim == 4:
            if waiting is not None:
                yield waiting
            waiting = Unit(name, "depthwise_kernel" in values, kernel, values.get("bias"), None)
        elif waiting is not None and "moving_mean" in values:
            channels = np.ones(waiting.channels, np.float32)
            norm = Normalisation(
                values.get("gamma", channels),
                values.get("beta", 0 * channels),
                values["moving_mean"],
                values["moving_variance"],
            )
            yield replace(waiting, normalisation=norm)
            waiting = None
    if waiting is not None:
        yield waiting


def _values(layer: Any) -> dict[str, Array]:
    return {each.name: np.asarray(each, np.float32) for each in layer.weights}


def _variables(group: h5py.Group) -> dict[str, Array]:
    """The arrays of a layer by the last part of their names, without ":0"."""
    found: dict[str, Array] = {}
    for raw in group.attrs.get("weight_names", ()):
        name = raw.decode() if isinstance(raw, bytes) else str(raw)
        found[name.split("/")[-1].split(":")[0]] = np.asarray(group[name], np.float32)
    return found
