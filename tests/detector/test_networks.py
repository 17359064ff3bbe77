"""The networks: what the paper and the Object Detection API built, answering in the order of the anchors."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from detector.anchor_layouts import LAYOUTS
from detector.anchors import generate
from detector.errors import ModelError
from detector.model_card import ModelCard
from detector.model_store import save_model
from detector.networks.catalog import build_network, load_network, new_card
from detector.networks.l2_normalisation import L2Normalisation
from detector.networks.picture_scaling import PictureScaling
from detector.networks.weights import assign_weights, weights_of
from tests.detector.random_networks import random_network

TWENTY = [f"class {number}" for number in range(20)]
SMALL = {"width": 0.25}


def small_card(**settings: object) -> ModelCard:
    """A quick network: MobileNet at a quarter of its width, pictures of 96x160, 3 classes."""
    return new_card(
        "ssd300-mobilenet-v1",
        name="small",
        classes=["a", "b", "c"],
        input_size=(96, 160),
        options={"width": 0.25, **settings},  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def vgg() -> keras.Model:
    return random_network(new_card("ssd300-vgg16", name="vgg", classes=TWENTY))


@pytest.fixture(scope="module")
def small() -> keras.Model:
    return random_network(small_card())


def test_the_paper_s_ssd300_has_its_parameters_and_anchors(vgg: keras.Model) -> None:
    assert vgg.count_params() == 26_285_486  # reference facts 2.9; Caffe's released file has as many
    assert vgg.output["offsets"].shape == (None, 8732, 4)
    assert vgg.output["logits"].shape == (None, 8732, 21)


def test_the_object_detection_api_s_mobilenet_has_its_parameters_and_anchors() -> None:
    card = new_card("ssd300-mobilenet-v1", name="coco", classes=[f"id {number}" for number in range(1, 91)])
    network = build_network(card)
    trainable = sum(int(np.prod(each.shape)) for each in network.trainable_weights)
    assert (network.count_params(), trainable) == (6_845_183, 6_819_839)  # reference facts 2.9
    assert network.output["logits"].shape == (None, 1917, 91)


def test_a_folded_network_has_biases_instead_of_normalisation(small: keras.Model) -> None:
    folded = build_network(small_card(folded=True))
    assert not [name for name in weights_of(folded) if "norm" in name]
    assert "Conv2d_0/bias" in weights_of(folded) and "Conv2d_0/bias" not in weights_of(small)


@pytest.mark.parametrize("kind", ["offsets", "logits"])
def test_every_answer_row_belongs_to_its_anchor(small: keras.Model, kind: str) -> None:
    """What one predictor says at one cell for one anchor is found in the row of that very anchor."""
    layout = small_card().anchors
    anchors = generate(layout)
    convolutions = [each.name for each in small.layers if each.name.endswith(f"_{kind}")]
    maps = {name: small.get_layer(name).output for name in convolutions}
    picture = np.random.default_rng(1).uniform(0, 255, (1, 96, 160, 3)).astype(np.float32)
    answers = keras.Model(small.input, {"rows": small.output[kind], **maps})(picture)
    rows = np.asarray(answers["rows"])[0]
    values = rows.shape[1]

    row = 0
    for name, each in zip(convolutions, layout.maps):
        raw = np.asarray(answers[name])[0]
        assert raw.shape == (each.height, each.width, len(each.shapes) * values)
        for y in range(each.height):
            for x in range(each.width):
                for shape in range(len(each.shapes)):
                    at_cell = raw[y, x, shape * values : (shape + 1) * values]
                    np.testing.assert_array_equal(rows[row], at_cell)
                    center = (x + 0.5) / each.width, (y + 0.5) / each.height
                    np.testing.assert_allclose(anchors[row, :2], center, atol=1e-6)
                    row += 1
    assert row == len(rows) == len(anchors)


def test_a_predictor_moves_the_rows_of_its_anchor_and_no_other() -> None:
    card = small_card(folded=True)
    network = random_network(card)
    picture = np.full((1, 96, 160, 3), 90, np.float32)
    before = np.asarray(network(picture)["logits"])[0]
    bias = network.get_layer("Conv2d_13_pointwise_logits").bias
    anchor, column = 4, 2
    bias.assign(np.asarray(bias) + 10 * np.eye(6 * 4, dtype=np.float32)[anchor * 4 + column])
    moved = np.argwhere(np.abs(np.asarray(network(picture)["logits"])[0] - before) > 1)

    first_map, second_map = card.anchors.counts[:2]
    expected = np.arange(first_map, first_map + second_map)[anchor::6]
    assert moved[:, 0].tolist() == expected.tolist()
    assert set(moved[:, 1]) == {column}


def test_pictures_of_other_sizes_get_anchors_that_fit() -> None:
    card = new_card("ssd300-vgg16", name="wide", classes=["a"], input_size=(257, 400))
    assert card.anchors.map_shapes == ((33, 50), (17, 25), (9, 13), (5, 7), (3, 5), (1, 3))
    network = build_network(card)
    assert network.input_shape == (None, 257, 400, 3)
    assert network.output["offsets"].shape[1] == card.anchors.count == len(generate(card.anchors))


def test_the_first_layer_normalises_each_channel() -> None:
    layer = PictureScaling([104, 117, 123], [1, 0.5, 2])
    picture = np.array([[[[104, 119, 0]]]], np.float32)
    assert np.asarray(layer(picture)).tolist() == [[[[0, 1, -246]]]]


def test_l2_normalisation_is_caffe_s() -> None:
    values = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    values[0, 0, 0] = 0  # a dead cell stays dead
    layer = L2Normalisation(20.0)
    out = np.asarray(layer(values))
    assert np.asarray(layer.scale).tolist() == [20.0] * 5
    lengths = np.sqrt((values.astype(np.float64) ** 2).sum(-1, keepdims=True) + 1e-10)
    np.testing.assert_allclose(out, 20 * values / lengths, rtol=1e-5)


def test_only_the_head_reads_the_normalised_map(vgg: keras.Model) -> None:
    readers = {
        layer.name
        for layer in vgg.layers
        for node in layer._inbound_nodes
        for tensor in node.input_tensors
        if tensor is vgg.get_layer("conv4_3_norm").output
    }
    assert readers == {"conv4_3_norm_offsets", "conv4_3_norm_logits"}


def test_a_stride_of_2_is_padded_on_every_side_as_in_caffe(vgg: keras.Model) -> None:
    """10 cells to 5, where 'same' would pad below and to the right only. The oracle is a plain loop."""
    values = np.random.default_rng(0).normal(size=(1, 10, 10, 128)).astype(np.float32)
    part = keras.Model(vgg.get_layer("conv7_1").output, vgg.get_layer("conv7_2").output)
    kernel, bias = (np.asarray(each) for each in vgg.get_layer("conv7_2").weights)
    padded = np.pad(values[0], ((1, 1), (1, 1), (0, 0)))
    expected = np.array(
        [
            [np.tensordot(padded[2 * y : 2 * y + 3, 2 * x : 2 * x + 3], kernel, 3) + bias for x in range(5)]
            for y in range(5)
        ]
    )
    np.testing.assert_allclose(np.asarray(part(values))[0], np.maximum(expected, 0), atol=1e-4)


def test_pooling_rounds_up_as_in_caffe(vgg: keras.Model) -> None:
    values = np.random.default_rng(0).normal(size=(1, 75, 75, 256)).astype(np.float32)
    pooled = np.asarray(vgg.get_layer("pool3")(values))[0]
    assert pooled.shape[:2] == (38, 38)
    np.testing.assert_array_equal(pooled[37, 37], values[0, 74, 74])
    np.testing.assert_array_equal(pooled[0, 0], values[0, :2, :2].max(axis=(0, 1)))


def test_mobilenet_pads_as_tensorflow_does() -> None:
    """10 cells to 5: the extra row lies below, the extra column to the right."""
    network = random_network(small_card(folded=True))
    layer = network.get_layer("Conv2d_12_depthwise")
    values = np.random.default_rng(0).normal(size=(1, 10, 10, 128)).astype(np.float32)
    kernel, bias = (np.asarray(each) for each in layer.weights)
    last = (values[0, 8:, 8:, :] * kernel[:2, :2, :, 0]).sum((0, 1)) + bias
    np.testing.assert_allclose(np.asarray(layer(values))[0, 4, 4], last, atol=1e-5)


def test_a_saved_network_answers_the_same(small: keras.Model, tmp_path: Path) -> None:
    model = save_model(small_card(), weights_of(small), folder=tmp_path)
    picture = np.random.default_rng(2).uniform(0, 255, (2, 96, 160, 3)).astype(np.float32)
    again = load_network(model)
    for kind in ("offsets", "logits"):
        np.testing.assert_array_equal(np.asarray(again(picture)[kind]), np.asarray(small(picture)[kind]))


def test_keras_reads_its_own_file_of_a_network(small: keras.Model, tmp_path: Path) -> None:
    small.save(tmp_path / "small.keras")
    again = keras.models.load_model(tmp_path / "small.keras")
    picture = np.full((1, 96, 160, 3), 200, np.float32)
    np.testing.assert_array_equal(np.asarray(again(picture)["logits"]), np.asarray(small(picture)["logits"]))


_ON_JAX = """
import sys
from pathlib import Path
import numpy as np, keras
from detector.model_store import read_model
from detector.networks.catalog import load_network
assert keras.backend.backend() == "jax"
folder = Path(sys.argv[1])
pictures = np.load(folder / "pictures.npz")
answers = {}
for name in pictures:
    network = load_network(read_model(folder / f"{name}.json"))
    found = network.predict_on_batch(pictures[name])  # compiled in one piece
    answers |= {f"{name}_{kind}": np.asarray(found[kind]) for kind in found}
np.savez(folder / "answers.npz", **answers)
"""


def test_jax_gives_the_answers_of_tensorflow(vgg: keras.Model, small: keras.Model, tmp_path: Path) -> None:
    assert keras.backend.backend() == "tensorflow"
    random = np.random.default_rng(3)
    cards = {"small": small_card(), "vgg": new_card("ssd300-vgg16", name="vgg", classes=TWENTY)}
    pictures = {
        name: random.uniform(0, 255, (1, *card.input_size, 3)).astype(np.float32)
        for name, card in cards.items()
    }
    networks = {"small": small, "vgg": vgg}
    for name, card in cards.items():
        save_model(card, weights_of(networks[name]), folder=tmp_path)
    np.savez(tmp_path / "pictures.npz", **pictures)  # type: ignore[arg-type]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    subprocess.run([sys.executable, "-c", _ON_JAX, str(tmp_path)], env=environment, check=True, timeout=100)

    answers = np.load(tmp_path / "answers.npz")
    for name, network in networks.items():
        for kind, expected in network(pictures[name]).items():
            found = answers[f"{name}_{kind}"]
            # relative to what the layer's values are like: rounding differs from operator to operator
            np.testing.assert_allclose(found, expected, atol=1e-4 * float(np.abs(expected).max()), rtol=1e-4)


def test_what_does_not_fit_is_refused_in_words(small: keras.Model) -> None:
    with pytest.raises(ModelError, match="did you mean 'ssd300-vgg16'"):
        new_card("ssd300-vgg", name="x", classes=["a"])
    with pytest.raises(ModelError, match=r"no option 'widht' \(it has: width, folded\)"):
        new_card("ssd300-mobilenet-v1", name="x", classes=["a"], options={"widht": 0.5})
    with pytest.raises(ModelError, match="cannot take pictures of 160x160; 257 pixels a side are the least"):
        new_card("ssd300-vgg16", name="x", classes=["a"], input_size=(160, 160))
    foreign = new_card("ssd300-vgg16", name="x", classes=["a"], layout=LAYOUTS["tf-ssd-300"])
    with pytest.raises(ModelError, match="anchors of 'x' are for feature maps of 19x19"):
        build_network(foreign)

    weights = weights_of(small)
    short = {name: array for name, array in weights.items() if name != "Conv2d_0/kernel"}
    with pytest.raises(ModelError, match="lack Conv2d_0/kernel"):
        assign_weights(small, short)
    with pytest.raises(ModelError, match="no place for the weights fc8/kernel"):
        assign_weights(small, {**weights, "fc8/kernel": weights["Conv2d_0/kernel"]})
    with pytest.raises(ModelError, match=r"Conv2d_0/kernel is \(2,\) in the weights but \(3, 3, 3, 8\)"):
        assign_weights(small, {**weights, "Conv2d_0/kernel": np.zeros(2)})


def test_the_catalog_needs_no_keras() -> None:
    code = "import sys, detector.networks.catalog, detector.importers.tflite; print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
