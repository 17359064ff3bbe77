"""SSD MobileNet v1 of the TensorFlow Object Detection API out of a TFLite file, 8-bit or float."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.anchors import LAYOUTS, AnchorLayout, generate
from detector.class_names import UNUSED
from detector.errors import ImportFileError
from detector.importers.imported import Imported
from detector.importers.naming import class_names
from detector.importers.tflite_graph import Graph, Operator, read_graph
from detector.importers.tflite_mobilenet import ForeignNetworkError, MobileNetSSD, find_mobilenet_ssd
from detector.networks.catalog import new_card

# Files whose origin is known, by sha256; of any other nobody can say under which licence it may be used.
_KNOWN = {
    "e4b118e5e4531945de2e659742c7c590f7536f8d0ed26d135abcfe83b4779d13": (
        "Apache-2.0",
        "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29 of the TensorFlow authors, trained on COCO",
    )
}


def import_tflite(path: Path, *, name: str, classes_file: Path | None) -> Imported:
    """The network of a TFLite file, dequantised, as `ssd300-mobilenet-v1`.

    Batch normalisation is folded in such files, and stays so. Their anchors may be coarse (8-bit): they are
    computed, and only compared with the file's.

    raises  ImportFileError when the file is damaged or another network, or its classes have no names
    """
    graph = read_graph(path)
    try:
        found = find_mobilenet_ssd(graph)
        layout = _layout(graph, found)
        _compare_anchors(graph, found, layout)
        columns = _columns(graph, found, layout)
    except ForeignNetworkError as reason:
        raise ImportFileError(
            f"{path.name} is no SSD MobileNet v1 of the TensorFlow Object Detection API: {reason}."
        ) from reason

    names, naming = class_names(path, columns - 1, classes_file)
    used = [column for column, each in enumerate(names, start=1) if each != UNUSED]
    card = new_card(
        "ssd300-mobilenet-v1",
        name=name,
        classes=[names[column - 1] for column in used],
        layout=layout,
        options={"width": found.width, "folded": True},
    )
    mean, scale = _normalisation(graph)
    licence, origin = _KNOWN.get(hashlib.sha256(path.read_bytes()).hexdigest(), ("unknown", "a TFLite file"))
    card = replace(
        card,
        variances=_variances(found),
        mean=(mean,) * 3,
        scale=(scale,) * 3,
        licence=licence,
        origin=f"{origin}; imported from {path.name}",
    )
    kind = "quantised" if graph.tensors[found.trunk["Conv2d_0"].inputs[1]].scale.size else "float"
    height, across = layout.image_size
    notes = [
        f"SSD MobileNet v1 of the TensorFlow Object Detection API, {kind}: {height}x{across} pixels, "
        f"width {found.width:g}, {layout.count} anchors, {columns - 1} classes.",
        naming,
    ]
    if unused := len(names) - len(used):
        notes.append(f"{unused} of them are ids without a name and are left out: {len(used)} classes remain.")
    return Imported(card, _weights(graph, found, layout, [0, *used]), tuple(notes))


def _layout(graph: Graph, found: MobileNetSSD) -> AnchorLayout:
    """The anchors of the Object Detection API for the maps the file has."""
    usual = LAYOUTS["tf-ssd-300"]
    offsets = [graph.tensors[each.outputs[0]].shape for each in found.offsets.values()]
    per_cell = tuple(channels // 4 for *_, channels in offsets)
    if per_cell != usual.boxes_per_cell:
        raise ForeignNetworkError(f"it has {per_cell} anchors a cell, not {usual.boxes_per_cell}")
    _, height, width, _ = graph.tensors[graph.inputs[0]].shape
    return usual.for_maps([(rows, columns) for _, rows, columns, _ in offsets], (height, width))


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
    """mean and scale that make of a grey value 0..255 what the first convolution is given."""
    tensor = graph.tensors[graph.inputs[0]]
    if not tensor.scale.size:
        return 127.5, 1 / 127.5  # a float file takes -1..1, as the Object Detection API prepares pictures
    mean = float(tensor.zero_point[0]) + (128.0 if tensor.dtype == np.int8 else 0.0)
    return mean, float(tensor.scale[0])


def _variances(found: MobileNetSSD) -> tuple[float, float, float, float]:
    if found.post_process is None:
        return (0.1, 0.1, 0.2, 0.2)
    x, y, w, h = (float(found.post_process.options[f"{side}_scale"]) for side in "xywh")
    return (1 / x, 1 / y, 1 / w, 1 / h)


def _weights(
    graph: Graph, found: MobileNetSSD, layout: AnchorLayout, columns: list[int]
) -> dict[str, NDArray[np.float32]]:
    """All weights under the names of our layers; only these columns of the scores.

    Offsets are ty, tx, th, tw in the file and x, y, w, h here.
    """
    weights: dict[str, NDArray[np.float32]] = {}
    for layer, operator in found.trunk.items():
        weights |= _convolution(graph, operator, layer)
    for kind, operators, chosen in (
        ("offsets", found.offsets, [1, 0, 3, 2]),
        ("logits", found.logits, columns),
    ):
        for (source, operator), count in zip(operators.items(), layout.boxes_per_cell):
            for variable, array in _convolution(graph, operator, f"{source}_{kind}").items():
                by_anchor = array.reshape(*array.shape[:-1], count, -1)[..., chosen]
                weights[variable] = by_anchor.reshape(*array.shape[:-1], -1)
    return weights


def _convolution(graph: Graph, operator: Operator, layer: str) -> dict[str, NDArray[np.float32]]:
    """Kernel and bias as Keras has them: (rows, columns, in, out), depthwise (rows, columns, channels, 1).

    TFLite has (out, rows, columns, in) and (1, rows, columns, channels): the same turn for both.
    """
    kernel, bias = (graph.constant(tensor) for tensor in operator.inputs[1:])
    return {f"{layer}/kernel": np.ascontiguousarray(kernel.transpose(1, 2, 3, 0)), f"{layer}/bias": bias}
