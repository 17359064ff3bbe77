"""A model without a Keras network: its graph is made of OpenVINO's own operators, so no TensorFlow loads."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from detector.anchors import AnchorLayout, AnchorMap
from detector.engines.graph_cache import graph_path
from detector.engines.graph_file import Graph, write_graph
from detector.engines.openvino_library import library_version, load_openvino
from detector.model_card import ModelCard
from detector.model_store import Model, save_model


def tiny_model() -> Model:
    """The model `small` of three classes, converted already: its graph lies where conversion would put it."""
    maps = (AnchorMap(height=6, width=10, shapes=((0.3, 0.3),)),)
    card = ModelCard(
        name="small",
        architecture="ssd300-mobilenet-v1",
        input_size=(96, 160),
        anchors=AnchorLayout(image_size=(96, 160), maps=maps),
        channel_order="RGB",
        mean=(0.0, 0.0, 0.0),
        scale=(1.0, 1.0, 1.0),
        score_activation="sigmoid",
        classes=("a", "b", "c"),
    )
    model = save_model(card, {"layer/kernel": np.zeros(3, np.float32)})
    version = library_version(load_openvino())
    write_graph(graph_path(model, precision="float32", openvino_version=version), tiny_graph())
    return model


def tiny_graph() -> Graph:
    """Two convolutions and two heads with random weights, of pictures of 96x160; made without TensorFlow."""
    openvino = load_openvino()
    ops, random = openvino.opset13, np.random.default_rng(0)

    def convolution(x: Any, channels: int, size: int) -> Any:
        inputs = x.get_output_shape(0)[1]
        kernel = random.normal(0, (2 / (inputs * size**2)) ** 0.5, (channels, inputs, size, size))
        return ops.convolution(x, np.float32(kernel), [size] * 2, [0, 0], [0, 0], [1, 1])

    def rows(x: Any, values: int) -> Any:
        return ops.reshape(ops.transpose(x, [0, 2, 3, 1]), [1, -1, values], False)

    pictures = ops.parameter([1, 96, 160, 3], np.uint8, "pictures")
    scaled = ops.divide(ops.convert(ops.transpose(pictures, [0, 3, 1, 2]), "f32"), np.float32(128))
    x = ops.relu(convolution(ops.relu(convolution(scaled, 16, 4)), 32, 4))
    offsets = rows(convolution(x, 4, 1), 4)
    scores = ops.sigmoid(ops.subtract(rows(convolution(x, 3, 1), 3), np.float32(1)))
    for answer, name in ((offsets, "offsets"), (scores, "scores")):
        answer.output(0).set_names({name})
    pictures.output(0).set_names({"pictures"})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.xml"
        openvino.save_model(openvino.Model([offsets, scores], [pictures]), path, compress_to_fp16=False)
        return Graph(path.read_bytes(), np.fromfile(path.with_suffix(".bin"), np.uint8))
