"""SSD MobileNets out of frozen graphs, written by TensorFlow under the Object Detection API's names."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from detector.anchor_layouts import LAYOUTS
from detector.class_names import known_class_names
from detector.errors import ImportFileError
from detector.importers import import_file, inspect_file
from detector.networks.catalog import build_network, new_card
from detector.networks.weights import weights_of
from tests.detector.object_detection_names import theirs


def write_graph(path: Path, card: Any) -> dict[str, Any]:
    """A frozen graph with every weight as a constant; returns the weights under our names."""
    network = build_network(card)
    expected = {
        name: np.full(a.shape, i / 256, np.float32) for i, (name, a) in enumerate(weights_of(network).items())
    }
    sources = [
        layer.name.removesuffix("_offsets") for layer in network.layers if layer.name.endswith("_offsets")
    ]
    depthwise = {each.name for each in network.layers if "Depthwise" in type(each).__name__}
    graph = tf.compat.v1.GraphDef()
    graph.node.add(name="image_tensor", op="Placeholder")
    constants = {"Preprocessor/map/while/ResizeImage/size": np.int32([300, 300])}
    for name, array in expected.items():
        layer, variable = name.split("/")
        norm = layer.endswith("_norm")
        layer = layer.removesuffix("_norm")
        if "_offsets/" in name:
            order = np.arange(4)[[1, 0, 3, 2]]  # ty, tx, th, tw
            values = np.float32([0.1, 0.2, 0.3, 0.4])
            array[:] = np.tile(values, array.shape[-1] // 4)
            expected[name] = array
            array = np.broadcast_to(np.tile(values[order], array.shape[-1] // 4), array.shape)
        if variable == "kernel":
            variable = "depthwise_weights" if layer in depthwise else "weights"
        elif variable == "bias":
            variable = "biases"
        constants[f"{theirs(layer, sources)}{'/BatchNorm' if norm else ''}/{variable}"] = array
    for name, array in constants.items():
        node = graph.node.add(name=name, op="Const")
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(array))
        graph.node.add(name=f"{name}/read", op="Identity", input=[name])
    path.write_bytes(graph.SerializeToString())
    return expected


@pytest.mark.parametrize(
    ("architecture", "options"),
    [
        ("ssd300-mobilenet-v1", {"width": 0.25, "folded": False}),
        ("ssdlite300-mobilenet-v2", {"folded": False}),
        pytest.param("ssd300-mobilenet-v2", {"folded": False}, marks=pytest.mark.slow),
    ],
)
def test_a_graph_of_the_object_detection_api_comes_back_array_for_array(
    architecture: str, options: dict[str, Any], tmp_path: Path
) -> None:
    card = new_card(architecture, name="x", classes=known_class_names("voc"), options=options)
    path = tmp_path / "frozen_inference_graph.pb"
    expected = write_graph(path, card)
    imported = import_file(path, name="x")
    assert (imported.card.architecture, imported.card.options) == (architecture, options)
    assert imported.card.anchors == LAYOUTS["tf-ssd-300"] and imported.card.score_activation == "sigmoid"
    assert imported.weights.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(imported.weights[name], array, err_msg=name)
    with pytest.raises(ImportFileError, match=r"takes pictures of 300x300"):
        import_file(path, name="x", input_size=(320, 320))


def test_opencv_s_face_detector_is_listed_and_refused_by_what_it_is(shared: Path) -> None:
    path = shared / "models" / "opencv_face" / "opencv_face_detector_uint8.pb"
    seen = inspect_file(path)
    kernel = next(each for each in seen.arrays if each.name == "conv1_h/weights_quantized_const")
    assert (kernel.shape, kernel.dtype) == ((7, 7, 3, 32), "uint8") and len(seen.arrays) == 333
    words = r"32 convolutions with the predictors of Caffe's SSD .*OpenCV's face detector, which is no"
    with pytest.raises(ImportFileError, match=words):
        import_file(path, name="x")


def test_a_damaged_graph_is_refused_but_never_a_traceback(shared: Path, tmp_path: Path) -> None:
    content = (shared / "models" / "opencv_face" / "opencv_face_detector_uint8.pb").read_bytes()[:60_000]
    random = np.random.default_rng(0)
    path = tmp_path / "damaged.pb"
    for _ in range(150):
        damaged = bytearray(content)
        for place in random.integers(0, len(content), 3):
            damaged[place] = random.integers(0, 256)
        path.write_bytes(damaged)
        with pytest.raises(ImportFileError) as error:
            import_file(path, name="x")
        assert "\n" not in str(error.value)


def test_a_constant_that_claims_to_be_larger_than_it_is_takes_no_memory(tmp_path: Path) -> None:
    graph = tf.compat.v1.GraphDef()
    tensor = (
        graph.node.add(name="BoxPredictor_0/BoxEncodingPredictor/weights", op="Const").attr["value"].tensor
    )
    tensor.CopyFrom(tf.make_tensor_proto(np.float32(1)))
    for _ in range(3):
        tensor.tensor_shape.dim.add(size=2**30)
    graph.node.add(name="x", op="NoOp")
    path = tmp_path / "huge.pb"
    path.write_bytes(graph.SerializeToString())
    with pytest.raises(ImportFileError, match="has 1 numbers, not 1073741824x"):
        import_file(path, name="x")
