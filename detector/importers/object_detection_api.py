"""SSD MobileNet v1 and v2 of the TensorFlow Object Detection API, without that API.

Out of its frozen graphs, and out of what TensorFlow.js makes of them, such as coco-ssd.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import ImportFileError
from detector.importers.imported import Imported
from detector.importers.inspection import Array, Inspection
from detector.importers.published_anchors import Fitting
from detector.importers.said import Said
from detector.importers.settling import Found, of_each_anchor, settle
from detector.importers.tensorflow_graph import FrozenGraph, read_frozen_graph
from detector.importers.tensorflow_js import read_graph_model
from detector.networks.mobilenet_plan import SOURCES, V2_SOURCES

_VARIABLES = {
    "weights": "kernel", "depthwise_weights": "kernel", "biases": "bias", "gamma": "gamma", "beta": "beta",
    "moving_mean": "moving_mean", "moving_variance": "moving_variance",
}  # fmt: skip
_TRUNK = re.compile(r"FeatureExtractor/Mobilenet(V[12])/(?:Mobilenet\1/)?(.+)")
_V1_EXTRA = re.compile(r"Conv2d_13_pointwise_([12])_Conv2d_([2-5])_(?:1x1|3x3_s2)_\d+")
_V2_EXTRA = re.compile(r"layer_19_([12])_Conv2d_([2-5])_(?:1x1|3x3_s2)_\d+(_depthwise)?")
_ANCHORS = Fitting({"tf-ssd-300": ""}, "the Object Detection API makes one set of anchors")
_HEAD = re.compile(r"BoxPredictor_(\d)/(Box|Class)(?:Encoding)?Predictor(_depthwise)?")


def import_object_detection(path: Path, *, name: str, said: Said) -> Imported:
    """raises  ImportFileError when it is damaged, another network, or not what the person says"""
    return settle(path, _found(path, read_frozen_graph(path)), name=name, said=said)


def import_graph_model(path: Path, *, name: str, said: Said) -> Imported:
    """The same out of a model.json of TensorFlow.js.

    raises  as import_object_detection does
    """
    return settle(path, _found(path, read_graph_model(path).graph), name=name, said=said)


def inspect_graph(path: Path) -> Inspection:
    """raises  ImportFileError when it is damaged"""
    graph = read_frozen_graph(path)
    return _inspection(path, graph, graph.constants, "a frozen graph of TensorFlow 1")


def inspect_graph_model(path: Path) -> Inspection:
    """raises  ImportFileError when it is damaged or not complete"""
    model = read_graph_model(path)
    return _inspection(path, model.graph, model.stored, "a graph model of TensorFlow.js")


def _inspection(
    path: Path, graph: FrozenGraph, stored: Mapping[str, NDArray[Any]], container: str
) -> Inspection:
    arrays = [Array(name, array.shape, str(array.dtype)) for name, array in stored.items()]
    try:
        words = f"It looks like {_found(path, graph).what}."
    except ImportFileError as reason:
        words = str(reason)
    return Inspection(container, arrays, words)


def _found(path: Path, graph: FrozenGraph) -> Found:
    version = "V2" if any("/MobilenetV2/" in name for name in graph.constants) else "V1"
    sources = SOURCES if version == "V1" else V2_SOURCES
    weights: dict[str, Any] = {}
    for name, array in graph.constants.items():
        ours = _our_name(name, version, sources)
        if ours is not None:
            weights[ours] = np.asarray(array, np.float32)
    if f"{sources[0]}_offsets/kernel" not in weights:
        raise _refusal(path, graph)
    try:
        for name, array in weights.items():
            if "_offsets/" in name:  # ty, tx, th, tw there
                weights[name] = of_each_anchor(array, 4, [1, 0, 3, 2])
    except ValueError as error:
        raise ImportFileError(f"{path.name} contradicts itself: {error}; fetch it again.") from error
    lite = any("_offsets_depthwise/" in name for name in weights)
    architecture = "ssd300-mobilenet-v1" if version == "V1" else "ssd300-mobilenet-v2"
    what = (
        f"{'SSDLite' if lite else 'SSD'} MobileNet {version.lower()} of the TensorFlow Object Detection API"
    )
    return Found(
        what=what,
        architecture="ssdlite300-mobilenet-v2" if lite else architecture,
        sources=sources,
        weights=weights,
        options=_options(path, version, weights),
        fitting=_ANCHORS,
        input_size=_input_size(graph),
    )


def _options(path: Path, version: str, weights: dict[str, Any]) -> dict[str, Any]:
    folded = not any("_norm/" in name for name in weights)
    if version == "V2":
        return {"folded": folded}
    last = weights.get("Conv2d_13_pointwise/kernel")
    if last is None or last.ndim != 4:
        raise ImportFileError(f"{path.name} lacks the end of its trunk, Conv2d_13_pointwise.")
    return {"folded": folded, "width": last.shape[3] / 1024}


def _our_name(name: str, version: str, sources: tuple[str, ...]) -> str | None:
    """<layer>/<variable> for a constant that is a weight of the network."""
    layer, _, variable = name.rpartition("/")
    if variable not in _VARIABLES:
        return None
    layer, norm = layer.removesuffix("/BatchNorm"), "_norm" if layer.endswith("/BatchNorm") else ""
    if head := _HEAD.fullmatch(layer):
        source = sources[int(head[1])] if int(head[1]) < len(sources) else "unknown"
        kind = "offsets" if head[2] == "Box" else "logits"
        return f"{source}_{kind}{head[3] or ''}{norm}/{_VARIABLES[variable]}"
    trunk = _TRUNK.fullmatch(layer)
    if trunk is None or trunk[1] != version:
        return None
    place = trunk[2]
    if extra := _V1_EXTRA.fullmatch(place):
        place = f"Conv2d_{int(extra[2]) + 12}_{'1x1' if extra[1] == '1' else '3x3'}"
    elif extra := _V2_EXTRA.fullmatch(place):
        place = f"layer_19_{extra[2]}_{extra[1]}{extra[3] or ''}"
    return f"{place.replace('/', '_')}{norm}/{_VARIABLES[variable]}"


def _input_size(graph: FrozenGraph) -> tuple[int, int] | None:
    """What pictures are resized to before the network."""
    for name, array in graph.constants.items():
        if (
            name.startswith("Preprocessor/")
            and "esize" in name
            and name.endswith("size")
            and array.shape == (2,)
        ):
            return int(array[0]), int(array[1])
    return None


def _refusal(path: Path, graph: FrozenGraph) -> ImportFileError:
    convolutions = sum(kind in ("Conv2D", "DepthwiseConv2dNative") for kind in graph.operations.values())
    heads = [
        name.removesuffix("_mbox_loc/Conv2D")
        for name in graph.operations
        if name.endswith("_mbox_loc/Conv2D")
    ]
    what = f"{convolutions} convolutions"
    if heads:
        what += (
            f" with the predictors of Caffe's SSD ({', '.join(sorted(heads))}) on a trunk that is neither "
            "VGG16 nor MobileNet, such as the ResNet of OpenCV's face detector, which is no architecture here"
        )
    return ImportFileError(
        f"{path.name} is a frozen TensorFlow graph of {what}; what can be imported are "
        "SSD MobileNet v1 and v2 and SSDLite MobileNet v2 of the Object Detection API."
    )
