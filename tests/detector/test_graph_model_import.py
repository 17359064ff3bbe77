"""SSDLite MobileNet v2 out of models of TensorFlow.js, written as its converters write them.

The oracle is the network itself, before anything of it was folded.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from detector.anchor_layouts import LAYOUTS
from detector.class_names import known_class_names
from detector.errors import ImportFileError
from detector.importers import import_file, inspect_file
from detector.networks.catalog import build_network, new_card
from detector.networks.weights import assign_weights, weights_of
from tests.detector.object_detection_names import theirs
from tests.detector.random_networks import random_network

_SHARD = 4 * 1024 * 1024


class Writer:
    """A model.json and its shards; an array may end in the next shard."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.entries: list[dict[str, Any]] = []
        self.content = b""

    def constant(self, name: str, array: NDArray[Any], *, half: bool = False) -> str:
        entry: dict[str, Any] = {"name": name, "shape": list(array.shape), "dtype": "float32"}
        if half:
            entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
        self.entries.append(entry)
        self.content += np.asarray(array, np.float16 if half else np.float32).tobytes()
        return self.operation("Const", name)

    def operation(self, kind: str, name: str, *inputs: str, **attributes: Any) -> str:
        self.nodes.append({"op": kind, "name": name, "input": list(inputs), "attr": attributes})
        return name

    def save(self, folder: Path) -> Path:
        shards = [self.content[at : at + _SHARD] for at in range(0, len(self.content), _SHARD)]
        paths = [f"group1-shard{number}of{len(shards)}" for number in range(1, len(shards) + 1)]
        for path, shard in zip(paths, shards):
            (folder / path).write_bytes(shard)
        manifest = [{"paths": paths, "weights": self.entries}]
        text = json.dumps({"modelTopology": {"node": self.nodes}, "weightsManifest": manifest})
        (folder / "model.json").write_text(text)
        return folder / "model.json"


def as_converter_1(writer: Writer, layer: str, weights: dict[str, Any], *, sums: bool) -> None:
    """The first converter: kernels multiplied, shifts as sums, heads' normalisation as it was."""
    kernel, name = weights["kernel"], weights["theirs"]
    depthwise = layer.endswith("_depthwise")
    if "gamma" not in weights:
        writer.constant(f"{name}/weights", kernel)
        writer.constant(f"{name}/biases", weights["bias"])
        writer.operation("Conv2D", f"{name}/Conv2D", "before", f"{name}/weights")
        writer.operation("BiasAdd", f"{name}/BiasAdd", f"{name}/Conv2D", f"{name}/biases")
        return
    factor = weights["gamma"] / np.sqrt(weights["moving_variance"] + 0.001)
    shift = weights["beta"] - weights["moving_mean"] * factor
    norm = f"{name}/BatchNorm"
    if name.startswith("BoxPredictor"):
        writer.constant(f"{name}/depthwise_weights", kernel)
        variables = [
            writer.constant(f"{norm}/{each}", weights[each])
            for each in ("gamma", "beta", "moving_mean", "moving_variance")
        ]
        writer.operation("DepthwiseConv2dNative", f"{name}/depthwise", "before", f"{name}/depthwise_weights")
        writer.operation(
            "FusedBatchNorm", f"{norm}/FusedBatchNorm", f"{name}/depthwise", *variables, epsilon={"f": 0.001}
        )
        return
    at = f"{norm}/batchnorm/mul_1"
    if depthwise:
        writer.constant(f"{name}/depthwise_weights", kernel)
        writer.operation("DepthwiseConv2dNative", f"{name}/depthwise", "before", f"{name}/depthwise_weights")
        writer.operation("Mul", at, f"{name}/depthwise", writer.constant(f"{norm}/batchnorm/mul", factor))
    else:
        merged = writer.constant(f"{name}/Conv2D/merged_input", kernel * factor)
        writer.operation("Conv2D", at, "before", merged)
    if sums:
        at = writer.operation("AddN", f"{name}/Leaf_1_add", at, "block")
    writer.constant(f"{norm}/batchnorm/sub", shift)
    writer.operation("Add", f"{norm}/batchnorm/add_1", at, f"{norm}/batchnorm/sub")
    writer.operation("Relu6", f"{name}/Relu6", f"{norm}/batchnorm/add_1")


def as_converter_2(writer: Writer, layer: str, weights: dict[str, Any], *, sums: bool) -> None:
    """Later ones: convolution and bias in one operation, called by its last; some arrays in 16 bits."""
    kernel, name = weights["kernel"], weights["theirs"]
    bias = weights.get("bias")
    if bias is None:
        factor = weights["gamma"] / np.sqrt(weights["moving_variance"] + 0.001)
        bias = weights["beta"] - weights["moving_mean"] * factor
        kernel = kernel * (factor[:, None] if layer.endswith("_depthwise") else factor)
    writer.constant(f"{name}/Conv2D_weights", kernel)
    writer.constant(f"{name}/Conv2D_bn_offset", bias, half="bias" in weights)
    kind = "FusedDepthwiseConv2dNative" if layer.endswith("_depthwise") else "_FusedConv2D"
    last = "Relu6" if "gamma" in weights else "BiasAdd"
    writer.operation(kind, f"{name}/{last}", "before", f"{name}/Conv2D_weights", f"{name}/Conv2D_bn_offset")


def write(folder: Path, network: keras.Model, write_layer: Callable[..., None]) -> Path:
    layers: dict[str, dict[str, Any]] = {}
    for name, array in weights_of(network).items():
        layer, variable = name.split("/")
        layers.setdefault(layer.removesuffix("_norm"), {})[variable] = array
    sources = [each.removesuffix("_offsets") for each in layers if each.endswith("_offsets")]
    joined = {each.name.removesuffix("_sum") for each in network.layers if each.name.endswith("_sum")}
    writer = Writer()
    for layer, weights in layers.items():
        if layer.endswith("_offsets"):  # ty, tx, th, tw
            for variable, array in weights.items():
                turned = array.reshape(*array.shape[:-1], -1, 4)[..., [1, 0, 3, 2]]
                weights[variable] = turned.reshape(array.shape)
        weights["theirs"] = theirs(layer, sources)
        sums = layer.endswith("_project") and layer.removesuffix("_project") in joined
        write_layer(writer, layer, weights, sums=sums)
    return writer.save(folder)


@pytest.mark.parametrize("converter", [as_converter_1, as_converter_2])
def test_a_model_of_the_web_answers_as_before_its_normalisation_was_folded(
    tmp_path: Path, converter: Callable[..., None]
) -> None:
    classes = known_class_names("voc")
    card = new_card("ssdlite300-mobilenet-v2", name="x", classes=classes, options={"folded": False})
    network = random_network(card)
    imported = import_file(write(tmp_path, network, converter), name="x")
    assert imported.card.architecture == "ssdlite300-mobilenet-v2"
    assert imported.card.options == {"folded": True} and imported.card.score_activation == "sigmoid"
    assert imported.card.anchors == LAYOUTS["tf-ssd-300"] and tuple(imported.card.classes) == tuple(classes)
    ours = build_network(imported.card)
    assign_weights(ours, imported.weights)
    picture = np.random.default_rng(1).uniform(0, 255, (1, 300, 300, 3)).astype(np.float32)
    answers = ours(picture)
    for said, expected in network(picture).items():
        assert float(np.abs(expected).max()) > 1
        np.testing.assert_allclose(answers[said], expected, rtol=0, atol=2e-3, err_msg=said)


def test_a_model_of_the_web_that_is_not_whole_is_refused_in_words(tmp_path: Path) -> None:
    card = new_card(
        "ssdlite300-mobilenet-v2", name="x", classes=["a"], input_size=(96, 96), options={"folded": False}
    )
    path = write(tmp_path, random_network(card), as_converter_1)
    assert inspect_file(path).container == "a graph model of TensorFlow.js"
    (shard,), whole = tmp_path.glob("group1-shard1of*"), path.read_text()
    content = shard.read_bytes()

    def refused() -> str:
        with pytest.raises(ImportFileError) as error:
            import_file(path, name="x")
        assert "\n" not in str(error.value)
        return str(error.value)

    shard.unlink()
    assert f"wants the file {shard.name} beside it" in refused()
    shard.write_bytes(content[:100])
    assert "too short" in refused()
    shard.write_bytes(content)
    path.write_text(whole.replace(shard.name, "../secret"))
    assert "weights in ../secret" in refused()
    path.write_text(whole[: len(whole) // 2])
    assert "is damaged" in refused()
    path.write_text(json.dumps({"format": "layers-model", "modelTopology": {"model_config": {}}}))
    assert "import that Keras model (.h5) itself" in refused()


def test_no_damage_to_a_model_of_the_web_is_a_traceback(tmp_path: Path) -> None:
    card = new_card(
        "ssdlite300-mobilenet-v2", name="x", classes=["a"], input_size=(96, 96), options={"folded": False}
    )
    path = write(tmp_path, random_network(card), as_converter_1)
    whole, random = path.read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(whole)
        for place in random.integers(100, len(whole), 3):
            damaged[place] = random.integers(32, 127)
        path.write_bytes(damaged)
        try:
            import_file(path, name="x")
        except ImportFileError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    "nodes",
    [
        [{"op": "Conv2D", "name": "c", "input": ["x"]}],
        [{"op": "Conv2D", "name": "c", "input": ["x", "k"]}, {"op": "Add", "name": "c", "input": ["c"]}],
    ],
    ids=["without a kernel", "in a circle"],
)
@pytest.mark.timeout(60)
def test_a_graph_that_cannot_be_is_refused(tmp_path: Path, nodes: list[dict[str, Any]]) -> None:
    writer = Writer()
    writer.constant("k", np.zeros((1, 1, 3, 4)))
    writer.nodes += nodes
    with pytest.raises(ImportFileError):
        import_file(writer.save(tmp_path), name="x")
