"""SSD MobileNet v1 and v2 of the TensorFlow Object Detection API out of a TFLite file, 8-bit or float."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.anchor_layouts import LAYOUTS
from detector.anchors import AnchorLayout, generate
from detector.box_coder import VARIANCES, Variances
from detector.class_names import UNUSED
from detector.errors import ImportFileError
from detector.importers.imported import Imported
from detector.importers.inspection import Array, Inspection
from detector.importers.naming import class_names
from detector.importers.said import Said
from detector.importers.settling import of_each_anchor
from detector.importers.tflite_graph import Graph, Operator, read_graph
from detector.importers.tflite_mobilenet import ForeignNetworkError, MobileNetSSD, find_mobilenet_ssd
from detector.model_card import Option
from detector.networks.catalog import new_card

# Files whose origin is known, by sha256; of any other nobody can say under which licence it may be used.
_KNOWN = {
    "e4b118e5e4531945de2e659742c7c590f7536f8d0ed26d135abcfe83b4779d13": (
        "Apache-2.0",
        "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29 of the TensorFlow authors, trained on COCO",
    )
}


_NAMES = {
    "ssd300-mobilenet-v1": "SSD MobileNet v1",
    "ssd300-mobilenet-v2": "SSD MobileNet v2",
    "ssdlite300-mobilenet-v2": "SSDLite MobileNet v2",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Network:
    """What a file holds, before its classes have names.

    options      of the architecture
    columns      scores of each anchor, background included
    mean, scale  (x - mean) * scale of a grey value 0..255 is what the first convolution takes
    weights      under the names of our layers; offsets in our order
    """

    architecture: str
    options: Mapping[str, Option]
    layout: AnchorLayout
    columns: int
    variances: Variances
    mean: float
    scale: float
    quantised: bool
    weights: dict[str, NDArray[np.float32]]


def import_tflite(path: Path, *, name: str, said: Said) -> Imported:
    """The network of a TFLite file, dequantised.

    Batch normalisation is folded in such files, and stays so. Their anchors may be coarse (8-bit): they are
    computed, and only compared with the file's.

    raises  ImportFileError when the file is damaged or another network, or its classes have no names
    """
    network = _read(path)
    said.check_architecture(network.architecture, path.name)
    said.choose_input_size(network.layout.image_size, path.name)
    said.check_anchors(network.layout, path.name)
    names, naming = class_names(path, network.columns - 1, said.classes_file)
    used = [column for column, each in enumerate(names, start=1) if each != UNUSED]
    licence, origin = _KNOWN.get(hashlib.sha256(path.read_bytes()).hexdigest(), ("unknown", "a TFLite file"))
    card = new_card(
        network.architecture,
        name=name,
        classes=[names[column - 1] for column in used],
        layout=network.layout,
        options=network.options,
    )
    card = replace(
        card,
        variances=network.variances,
        mean=(network.mean,) * 3,
        scale=(network.scale,) * 3,
        licence=licence,
        origin=f"{origin}; imported from {path.name}",
    )
    notes = [_what(network), naming]
    if unused := len(names) - len(used):
        notes.append(f"{unused} of them are ids without a name and are left out: {len(used)} classes remain.")
    weights = {
        variable: of_each_anchor(array, network.columns, [0, *used]) if "_logits/" in variable else array
        for variable, array in network.weights.items()
    }
    return Imported(card, weights, tuple(notes))


def _what(network: _Network) -> str:
    height, across = network.layout.image_size
    kind = "quantised" if network.quantised else "float"
    width = f"width {network.options['width']:g}, " if "width" in network.options else ""
    return (
        f"{_NAMES[network.architecture]} of the TensorFlow Object Detection API, {kind}: "
        f"{height}x{across} pixels, {width}{network.layout.count} anchors, {network.columns - 1} classes."
    )


def inspect_tflite(path: Path) -> Inspection:
    """The constants of a TFLite file.

    raises  ImportFileError when it is damaged
    """
    graph = read_graph(path)
    arrays = [
        Array(each.name, each.shape, str(each.dtype)) for each in graph.tensors if each.stored is not None
    ]
    try:
        words = _what(_read(path))
    except ImportFileError as reason:
        words = str(reason)
    return Inspection("a TFLite model", arrays, words)


def _read(path: Path) -> _Network:
    graph = read_graph(path)
    try:
        found = find_mobilenet_ssd(graph)
        layout = _layout(graph, found)
        _compare_anchors(graph, found, layout)
        mean, scale = _normalisation(graph)
        return _Network(
            architecture=found.architecture,
            options=found.options,
            layout=layout,
            columns=_columns(graph, found, layout),
            variances=_variances(found),
            mean=mean,
            scale=scale,
            quantised=graph.tensors[next(iter(found.trunk.values())).inputs[1]].scale.size > 0,
            weights=_weights(graph, found),
        )
    except ForeignNetworkError as reason:
        raise ImportFileError(
            f"{path.name} is no SSD MobileNet v1 or v2 of the TensorFlow Object Detection API: {reason}."
        ) from reason
    except (IndexError, ValueError) as error:  # an operator without inputs, a kernel that is no constant
        raise ImportFileError(f"{path.name} is damaged: its parts do not fit; fetch it again.") from error


def _layout(graph: Graph, found: MobileNetSSD) -> AnchorLayout:
    """The anchors of the Object Detection API for the maps the file has."""
    usual = LAYOUTS["tf-ssd-300"]
    per_cell = tuple(graph.channels(offsets) // 4 for offsets in found.offsets.values())
    if per_cell != usual.boxes_per_cell:
        raise ForeignNetworkError(f"it has {per_cell} anchors a cell, not {usual.boxes_per_cell}")
    _, height, width, _ = graph.tensors[graph.inputs[0]].shape
    maps = [graph.tensors[found.trunk[source].outputs[0]].shape for source in found.offsets]
    return usual.for_maps([(rows, columns) for _, rows, columns, _ in maps], (height, width))


def _compare_anchors(graph: Graph, found: MobileNetSSD, layout: AnchorLayout) -> None:
    """Whether the anchors in the file, as (cy, cx, h, w), are those of the layout as near as it can say."""
    if found.post_process is None:
        return
    tensor = graph.tensors[found.post_process.inputs[2]]
    stored = graph.constant(found.post_process.inputs[2])
    expected = generate(layout)[:, [1, 0, 3, 2]]
    # its own step of quantisation, twice: the converter rounds both the values and where the steps begin
    tolerance = 2 * float(tensor.scale.max()) if tensor.scale.size else 1e-3
    if stored.shape != expected.shape or float(np.abs(stored - expected).max()) > tolerance:
        raise ForeignNetworkError("its anchors have other sizes or places")


def _columns(graph: Graph, found: MobileNetSSD, layout: AnchorLayout) -> int:
    """Scores of each anchor, background included."""
    per_cell = zip(found.logits.values(), layout.boxes_per_cell)
    columns = {graph.channels(logits) / count for logits, count in per_cell}
    if len(columns) != 1 or not min(columns).is_integer() or min(columns) < 2:
        raise ForeignNetworkError("its predictors do not agree on the number of classes")
    return int(columns.pop())


def _normalisation(graph: Graph) -> tuple[float, float]:
    """mean and scale; an 8-bit file has them in the quantisation of its input."""
    tensor = graph.tensors[graph.inputs[0]]
    if not tensor.scale.size:
        return 127.5, 1 / 127.5  # a float file takes -1..1, as the Object Detection API prepares pictures
    mean = float(tensor.zero_point[0]) + (128.0 if tensor.dtype == np.int8 else 0.0)
    return mean, float(tensor.scale[0])


def _variances(found: MobileNetSSD) -> Variances:
    if found.post_process is None:
        return VARIANCES
    scales = [float(found.post_process.options.get(f"{side}_scale", 0)) for side in "xywh"]
    if not all(0 < scale < np.inf for scale in scales):
        raise ForeignNetworkError("it does not say how its boxes are decoded")
    x, y, w, h = (1 / scale for scale in scales)
    return x, y, w, h


def _weights(graph: Graph, found: MobileNetSSD) -> dict[str, NDArray[np.float32]]:
    """All weights. Offsets are ty, tx, th, tw in the file and x, y, w, h here."""
    weights: dict[str, NDArray[np.float32]] = {}
    for layer, operator in found.trunk.items():
        weights |= _convolution(graph, operator, layer)
    for source, operator in found.logits.items():
        weights |= _convolution(graph, operator, f"{source}_logits")
    for source, operator in found.offsets.items():
        for variable, array in _convolution(graph, operator, f"{source}_offsets").items():
            weights[variable] = of_each_anchor(array, 4, [1, 0, 3, 2])
    if not all(np.isfinite(array).all() for array in weights.values()):
        raise ValueError("some weights are not finite")
    return weights


def _convolution(graph: Graph, operator: Operator, layer: str) -> dict[str, NDArray[np.float32]]:
    """Kernel and bias as Keras has them: (rows, columns, in, out), depthwise (rows, columns, channels, 1).

    TFLite has (out, rows, columns, in) and (1, rows, columns, channels): the same turn for both.
    """
    kernel, bias = (graph.constant(tensor) for tensor in operator.inputs[1:])
    return {f"{layer}/kernel": np.ascontiguousarray(kernel.transpose(1, 2, 3, 0)), f"{layer}/bias": bias}
