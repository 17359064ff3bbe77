"""What a graph model of TensorFlow.js holds: a model.json, and its weights in files beside it.

The converter has folded batch normalisation into kernels where it could and left it as products, sums or
normalisations of constants where it could not. Here all of it is folded, so that each convolution is one
kernel and one bias, under the names that a frozen graph of the same network has.

source  the formats "graph-model" and "weightsManifest" as tfjs-converter writes them
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.errors import ImportFileError
from detector.importers.tensorflow_graph import FrozenGraph

_CONVOLUTIONS = ("Conv2D", "_FusedConv2D")
_DEPTHWISE = ("DepthwiseConv2dNative", "FusedDepthwiseConv2dNative")
_NORMALISATIONS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
_SUMS = ("Add", "AddV2", "AddN", "BiasAdd")
# what is behind the name of a layer in the name of an operation of it
_TAIL = re.compile(r"/(Conv2D|depthwise|separable_conv2d(/depthwise)?|BiasAdd|Relu6|BatchNorm/.+)$")
_LARGEST = 2**31 - 1  # numbers of an array


class _Operation(NamedTuple):
    kind: str
    name: str
    inputs: tuple[str, ...]
    epsilon: float


class GraphModel(NamedTuple):
    """stored  the constants as the files hold them
    graph   the same network with one kernel and one bias a convolution, as a frozen graph names them
    """

    stored: Mapping[str, NDArray[Any]]
    graph: FrozenGraph


def read_graph_model(path: Path) -> GraphModel:
    """path    the model.json
    raises  ImportFileError when it is damaged, no graph, or one of its files is missing
    """
    try:
        model = json.loads(path.read_text(encoding="utf-8"))
        topology = model["modelTopology"]
        if "node" not in topology:
            raise ImportFileError(
                f"{path.name} is a layers model of TensorFlow.js, made of a Keras model; "
                "import that Keras model (.h5) itself."
            )
        constants = {
            name: array for group in model["weightsManifest"] for name, array in _arrays(path, group)
        }
        operations = [_operation(node) for node in topology["node"]]
        folded = _folded(operations, constants)
        used = {given for each in operations if each.kind in _NORMALISATIONS for given in each.inputs}
    except (LookupError, ArithmeticError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ImportFileError(
            f"{path.name} is damaged or no graph model of TensorFlow.js ({error!r:.120}); fetch it again."
        ) from error
    others = {name: array for name, array in constants.items() if name not in used}
    kinds = {each.name: each.kind for each in operations}
    return GraphModel(constants, FrozenGraph(kinds, {**others, **folded}))


def _arrays(path: Path, group: Mapping[str, Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    """The arrays of some files, which stand one after the other in them."""
    content = b"".join(_shard(path, name) for name in group["paths"])
    start = 0
    for entry in group["weights"]:
        quantisation = entry.get("quantization", {})
        dtype = np.dtype(quantisation.get("dtype", entry["dtype"])).newbyteorder("<")
        if dtype.kind not in "fiub":
            raise ValueError(f"{entry['name']} is of kind {entry['dtype']}")
        shape = tuple(int(side) for side in entry["shape"])
        size = math.prod(shape)
        if not 0 <= size <= _LARGEST or start + size * dtype.itemsize > len(content):
            raise ImportFileError(
                f"The files beside {path.name} are too short for {entry['name']}; fetch them again."
            )
        array: NDArray[Any] = np.frombuffer(content, dtype, size, start).reshape(shape)
        start += size * dtype.itemsize
        if "scale" in quantisation:
            array = array * np.float32(quantisation["scale"]) + np.float32(quantisation["min"])
        kind = np.float32 if dtype.kind == "f" or "scale" in quantisation else array.dtype.newbyteorder("=")
        yield str(entry["name"]), array.astype(kind)


def _shard(path: Path, name: str) -> bytes:
    if Path(name).name != name:
        raise ValueError(f"weights in {name}")  # nothing but files of its own folder is read
    try:
        return (path.parent / name).read_bytes()
    except OSError as error:
        raise ImportFileError(
            f"{path.name} wants the file {name} beside it, which cannot be read: {error.strerror or error}."
        ) from error


def _operation(node: Mapping[str, Any]) -> _Operation:
    inputs = tuple(each.removesuffix(":0") for each in node.get("input", ()) if not each.startswith("^"))
    epsilon = node.get("attr", {}).get("epsilon", {}).get("f", 0.0)
    return _Operation(str(node["op"]), str(node["name"]), inputs, float(epsilon))


def _folded(operations: list[_Operation], constants: Mapping[str, Any]) -> dict[str, NDArray[np.float32]]:
    """`<layer>/weights` or `<layer>/depthwise_weights`, and `<layer>/biases`, of every convolution."""
    readers: dict[str, list[_Operation]] = {}
    for each in operations:
        for given in each.inputs:
            readers.setdefault(given, []).append(each)
    folded = {}
    for each in operations:
        is_depthwise = each.kind in _DEPTHWISE
        if not is_depthwise and each.kind not in _CONVOLUTIONS:
            continue
        kernel = constants[each.inputs[1]]
        channels = math.prod(kernel.shape[2:]) if is_depthwise else kernel.shape[3]
        scale, shift = np.ones(channels), np.zeros(channels)
        if len(each.inputs) > 2:  # fused with its bias
            shift = shift + constants[each.inputs[2]]
        for factor, summand in _changes(each, readers, constants):
            scale, shift = scale * factor, shift * factor + summand
        layer = _TAIL.sub("", each.name)
        by_channel = scale.reshape(kernel.shape[2:]) if is_depthwise else scale
        name = f"{layer}/{'depthwise_weights' if is_depthwise else 'weights'}"
        folded[name] = (kernel * by_channel).astype(np.float32)
        folded[f"{layer}/biases"] = shift.astype(np.float32)
    return folded


def _changes(
    convolution: _Operation, readers: Mapping[str, list[_Operation]], constants: Mapping[str, Any]
) -> Iterator[tuple[Any, Any]]:
    """What its channels are multiplied by and what is added to them, one operation after the other."""
    at, is_joined = convolution, False
    for _ in readers:  # a damaged graph may run in a circle
        if len(readers.get(at.name, ())) != 1:
            return
        (then,) = readers[at.name]
        others = [constants[each].astype(np.float64) for each in then.inputs if each in constants]
        if then.kind in _NORMALISATIONS and not is_joined:
            gamma, beta, mean, variance = others
            factor = gamma / np.sqrt(variance + then.epsilon)
            yield factor, beta - mean * factor
        elif then.kind == "Mul" and len(others) == 1 and not is_joined:
            yield others[0], 0.0
        elif then.kind in _SUMS and others:
            yield 1.0, others[0]
        elif then.kind in _SUMS:
            is_joined = True  # with what its block was given; the converter adds the bias after that
        else:
            return
        at = then
