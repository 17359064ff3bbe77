"""Every architecture of the catalog: its size, its anchors, that it trains, keeps, and runs elsewhere."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from detector.anchor_layouts import LAYOUTS
from detector.anchors import Anchors, generate
from detector.errors import ModelError
from detector.model_card import ModelCard
from detector.model_store import save_model
from detector.networks.architectures import ARCHITECTURES
from detector.networks.batch_normalisation import BatchNormalisation
from detector.networks.catalog import build_network, feature_map_shapes, new_card
from detector.networks.weights import weights_of
from detector.networks.work import operations
from tests.detector.random_networks import random_network
from trainer.loss import MultiBoxLoss, Targets


@dataclass(frozen=True)
class Fact:
    """What reference facts 2.1 and 2.9 say of the published network.

    classes        background included
    parameters     those that learn
    small          the smallest pictures that are worth testing with, (height, width)
    noisy          with usual random weights, rounding grows a thousandfold from layer to layer
    giga_products  of one picture, as torchvision states them
    """

    classes: int
    parameters: int
    anchors: int
    small: tuple[int, int] = (96, 128)
    folded: bool = False
    noisy: bool = False
    giga_products: float | None = None


_VGG_SMALL = (257, 270)
FACTS = {
    "ssd300-vgg16": Fact(21, 26_285_486, 8732, _VGG_SMALL),
    "ssd512-vgg16": Fact(21, 27_188_676, 24564, _VGG_SMALL),
    "ssd300-vgg16-v1": Fact(21, 25_765_497, 7308, _VGG_SMALL),
    "ssd300-vgg16-torchvision": Fact(91, 35_641_826, 8732, _VGG_SMALL, giga_products=34.858),
    "ssd300-vgg16-qfgaohao": Fact(21, 26_285_998, 8732, _VGG_SMALL),
    "ssd7": Fact(6, 213_232, 11692),
    "ssd300-mobilenet-v1": Fact(91, 6_819_839, 1917),
    "ssd300-mobilenet-v1-caffe": Fact(21, 5_783_417, 1917, folded=True),
    "ssd300-mobilenet-v1-qfgaohao": Fact(21, 9_468_996, 3000),
    "ssd300-mobilenet-v2": Fact(91, 16_837_567, 1917),
    "ssdlite300-mobilenet-v2": Fact(91, 4_500_543, 1917),
    "ssdlite320-mobilenet-v3": Fact(91, 3_440_060, 3234, noisy=True, giga_products=0.583),
    "ssd300-resnet50": Fact(81, 22_894_902, 8732, _VGG_SMALL),
}
NAMES = list(FACTS)
# A default run trains and converts these: small, and with every kind of layer but normalisation by length.
SMALL = ("ssd7", "ssdlite320-mobilenet-v3")


def full_card(name: str) -> ModelCard:
    classes = [f"class {number}" for number in range(1, FACTS[name].classes)]
    options = {"folded": True} if FACTS[name].folded else {}
    return new_card(name, name=name, classes=classes, options=options)


@cache
def small_card(name: str) -> ModelCard:
    options = {"width": 0.25} if "width" in ARCHITECTURES[name].options else {}
    return new_card(name, name=name, classes=["a", "b"], input_size=FACTS[name].small, options=options)


def picture(size: tuple[int, int], count: int = 1) -> Any:
    return np.random.default_rng(0).uniform(0, 255, (count, *size, 3)).astype(np.float32)


def test_every_architecture_is_tested_here() -> None:
    assert set(FACTS) == set(ARCHITECTURES)


@pytest.mark.parametrize("name", NAMES)
def test_it_has_the_parameters_and_anchors_of_the_published_network_in_their_order(name: str) -> None:
    fact, card = FACTS[name], full_card(name)
    network = build_network(card)
    assert sum(int(np.prod(each.shape)) for each in network.trainable_weights) == fact.parameters
    assert network.output["offsets"].shape == (None, fact.anchors, 4)
    assert network.output["logits"].shape == (None, fact.anchors, fact.classes)
    anchors = generate(card.anchors)
    assert len(anchors) == fact.anchors
    _check_order(network, card, anchors)
    if fact.giga_products:
        assert operations(network) / 1e9 == pytest.approx(2 * fact.giga_products, rel=2e-3)


def _check_order(network: keras.Model, card: ModelCard, anchors: Anchors) -> None:
    """What a predictor says at a cell for a shape is in the row of the anchor with that cell and shape."""
    values = 1 + len(card.classes)
    predictors = [each.name for each in network.layers if each.name.endswith("_logits")]
    raw = {each: network.get_layer(each).output for each in predictors}
    answers = keras.Model(network.input, {"rows": network.output["logits"], **raw})(picture(card.input_size))
    rows = np.asarray(answers["rows"])[0]
    height, width = card.input_size
    first = 0
    for predictor, each in zip(predictors, card.anchors.maps):
        said = np.asarray(answers[predictor])[0]
        step_y, step_x = (each.step,) * 2 if each.step else (height / each.height, width / each.width)
        assert said.shape == (each.height, each.width, len(each.shapes) * values)
        for shape, (wide, tall) in enumerate(each.shapes):
            y, x = (place.ravel() for place in np.indices(said.shape[:2]))
            row = first + (y * each.width + x) * len(each.shapes) + shape
            np.testing.assert_array_equal(rows[row], said[y, x, shape * values : (shape + 1) * values])
            if card.anchors.clip == "none":
                center = np.stack([(x + 0.5) * step_x / width, (y + 0.5) * step_y / height], 1)
                np.testing.assert_allclose(anchors[row, :2], center, atol=1e-5)
                sizes = np.array([wide, tall]) * min(height, width) / [width, height]
                np.testing.assert_allclose(anchors[row, 2:], np.tile(sizes, (len(row), 1)), atol=1e-5)
        first += each.height * each.width * len(each.shapes)
    assert first == len(rows)


@pytest.mark.parametrize("name", NAMES)
def test_all_its_layouts_fit_its_maps(name: str) -> None:
    usual, *others = (LAYOUTS[each] for each in ARCHITECTURES[name].layouts)
    for layout in others:
        assert layout.boxes_per_cell == usual.boxes_per_cell and layout.order == "cells"
        is_same_size = layout.image_size == usual.image_size
        fitting = usual.map_shapes if is_same_size else feature_map_shapes(name, layout.image_size, {})
        assert layout.map_shapes == fitting


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in SMALL else pytest.mark.slow) for name in NAMES]
)
def test_a_training_step_lowers_the_loss(name: str) -> None:
    keras.utils.set_random_seed(0)
    card = small_card(name)
    network = build_network(card)
    for layer in network.layers:
        if isinstance(layer, BatchNormalisation):
            layer.frozen_statistics = True  # of two pictures, maps of one cell would have two values
    rng = np.random.default_rng(1)
    class_ids = rng.choice(np.int32([0, 1, 2]), (2, card.anchors.count), p=[0.9, 0.05, 0.05])
    offsets = rng.normal(size=(*class_ids.shape, 4)).astype(np.float32)
    targets = Targets(tf.constant(offsets), tf.constant(class_ids))
    pictures = tf.constant(picture(card.input_size, 2))

    def loss() -> Any:
        return MultiBoxLoss()(network(pictures, training=True), targets).total

    with tf.GradientTape() as tape:
        before = loss()
    gradients = tape.gradient(before, network.trainable_weights)
    assert all(each is not None for each in gradients)
    length = float(tf.linalg.global_norm(gradients))
    for weight, gradient in zip(network.trainable_weights, gradients):
        weight.assign_sub(1e-3 / length * gradient)
    assert float(loss()) < float(before)


def test_anchors_that_run_shape_by_shape_are_refused() -> None:
    card = new_card("ssd300-vgg16", name="x", classes=["a"], layout=LAYOUTS["ssd300-coco-nvidia"])
    with pytest.raises(ModelError, match="run shape by shape"):
        build_network(card)


_IN_OPENVINO = """
import sys
from pathlib import Path
import numpy as np
from detector.engines.convert import convert
from detector.model_store import read_model
import openvino

folder = Path(sys.argv[1])
answers = {}
for name, picture in np.load(folder / "pictures.npz").items():
    graph = convert(read_model(folder / f"{name}.json"))
    core = openvino.Core()
    model = core.read_model(graph.xml, openvino.Tensor(graph.weights))
    for precision in ("f32", "bf16"):
        if precision == "f32" or "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            found = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision})(picture)
            answers |= {f"{name}_{precision}_{kind}": found[kind] for kind in ("offsets", "scores")}
np.savez(folder / "answers.npz", **answers)
"""


def _agree_in_openvino(names: Sequence[str], folder: Path) -> None:
    """OpenVINO is given the saved model, so that a layer whose weights were not kept would show as well."""
    cards = {name: small_card(name) for name in names}
    pictures = {name: np.round(picture(card.input_size)).astype(np.uint8) for name, card in cards.items()}
    expected = {}
    for name, card in cards.items():
        network = random_network(card)
        if FACTS[name].noisy:
            for layer in network.layers:
                if hasattr(layer, "kernel"):
                    layer.kernel.assign(layer.kernel * np.sqrt(0.5))
        save_model(card, weights_of(network), folder=folder)
        expected[name] = network(pictures[name].astype(np.float32))
    np.savez(folder / "pictures.npz", **pictures)  # type: ignore[arg-type]
    command = [sys.executable, "-c", _IN_OPENVINO, str(folder)]
    quietly = os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run(command, env=quietly, check=True, timeout=1000)
    answers = np.load(folder / "answers.npz")
    for name, card in cards.items():
        activate = keras.ops.softmax if card.score_activation == "softmax" else keras.ops.sigmoid
        scores = activate(expected[name]["logits"])[..., 1:]
        offsets = np.asarray(expected[name]["offsets"])
        # relative to what the layers' values are like: rounding differs from operator to operator
        atol = max(1e-4, 1e-5 * float(np.abs(expected[name]["logits"]).max()))
        np.testing.assert_allclose(answers[f"{name}_f32_scores"], scores, atol=atol, err_msg=name)
        np.testing.assert_allclose(
            answers[f"{name}_f32_offsets"], offsets, atol=1e-4 * np.abs(offsets).max(), err_msg=name
        )
        if (rough := answers.get(f"{name}_bf16_scores")) is not None:
            assert np.abs(rough - scores).mean() < 0.05, name


@pytest.mark.timeout(300)
def test_saved_and_run_by_openvino_it_answers_the_same(tmp_path: Path) -> None:
    _agree_in_openvino(SMALL, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_saved_and_run_by_openvino_all_others_answer_the_same(tmp_path: Path) -> None:
    _agree_in_openvino([name for name in NAMES if name not in SMALL], tmp_path)
