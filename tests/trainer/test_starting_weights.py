"""What a training starts from: nothing is lost on the way that the new network has room for."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from detector.class_names import Aliases
from detector.errors import ImportFileError, TrainingError
from detector.model_card import ModelCard
from detector.networks.catalog import build_network, new_card
from detector.networks.weights import weights_of
from tests.trainer.shapes import small_card
from trainer.backbone_files import fetch_backbone, read_backbone, units_of
from trainer.head_rows import carry_rows
from trainer.starting_weights import Start, calm_predictors, start_from_backbone, start_from_model
from trainer.unfolding import refine_statistics

_PICTURES = np.random.default_rng(0).integers(0, 256, (4, 96, 96, 3)).astype(np.float32)


def _network(card: ModelCard, *, seed: int) -> keras.Model:
    """Random weights, normalisation too."""
    keras.utils.set_random_seed(seed)
    network = build_network(card)
    rng = np.random.default_rng(seed)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.7, 1.4, each.shape) for each in layer.get_weights()])
        elif getattr(layer, "use_bias", False):
            layer.bias.assign(rng.normal(size=layer.bias.shape))
    return network


def _answers(network: keras.Model) -> dict[str, Any]:
    return {name: np.asarray(value) for name, value in network(_PICTURES, training=False).items()}


def _started(source: ModelCard, card: ModelCard, *, aliases: Any = ()) -> tuple[Start, Any, Any]:
    """What was kept, the answers of a random model, and those of a network that starts from it."""
    model, network = _network(source, seed=1), _network(card, seed=2)
    start = start_from_model(network, card, source, weights_of(model), Aliases(aliases))
    return start, _answers(model), _answers(network)


def test_the_same_classes_give_the_same_answers() -> None:
    card = small_card()
    start, theirs, ours = _started(card, card)
    assert np.array_equal(ours["logits"], theirs["logits"])
    assert np.array_equal(ours["offsets"], theirs["offsets"])
    assert "Conv2d_0" in start.backbone and "Conv2d_11_pointwise_logits" not in start.backbone
    assert not start.unfolded


def test_known_classes_keep_their_rows_in_whatever_order_and_by_whatever_name() -> None:
    source = small_card(("dog", "tv", "cat", "car"))
    start, theirs, ours = _started(
        source, small_card(("car", "helmet", "tvmonitor")), aliases=[("tv", "tvmonitor")]
    )
    for column, old in ((0, 0), (1, 4), (3, 2)):
        np.testing.assert_array_equal(ours["logits"][..., column], theirs["logits"][..., old])
    assert "car, tvmonitor" in start.notes[0]
    assert "new: helmet" in start.notes[0]


def _scores(answers: Any, activation: str) -> Any:
    logits = answers["logits"].astype(np.float64)
    if activation == "sigmoid":
        return 1 / (1 + np.exp(-logits[..., 1:]))
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (powers / powers.sum(axis=-1, keepdims=True))[..., 1:]


@pytest.mark.parametrize(("old", "new"), [("sigmoid", "softmax"), ("softmax", "sigmoid")])
def test_one_class_scores_the_same_by_either_activation(old: str, new: str) -> None:
    cards = [replace(small_card(("cat",)), score_activation=each) for each in (old, new)]
    _, theirs, ours = _started(*cards)
    np.testing.assert_allclose(_scores(ours, new), _scores(theirs, old), atol=1e-5)


@pytest.mark.parametrize(("old", "new"), [("sigmoid", "softmax"), ("softmax", "sigmoid")])
@pytest.mark.parametrize("speaking", [0, 1, 2, None])
def test_of_several_classes_the_one_that_speaks_keeps_its_score(
    old: str, new: str, speaking: int | None
) -> None:
    cards = [replace(small_card(("cat", "dog", "car")), score_activation=each) for each in (old, new)]
    logits = np.float32([0, -5, -5, -5])  # background, and three classes that are sure of nothing
    if speaking is not None:
        logits[1 + speaking] = 1.5
    fresh = {"map_logits/bias": np.zeros(4, np.float32)}
    kept = carry_rows(fresh, cards[1], {"map_logits/bias": logits}, cards[0], Aliases([]))
    ours = _scores({"logits": kept.arrays["map_logits/bias"]}, new)
    np.testing.assert_allclose(ours, _scores({"logits": logits}, old), atol=0.01)


@pytest.mark.parametrize("folded", [True, False])
def test_folding_and_unfolding_change_no_answer(folded: bool) -> None:
    start, theirs, ours = _started(small_card(folded=not folded), small_card(folded=folded))
    np.testing.assert_allclose(ours["logits"], theirs["logits"], rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(ours["offsets"], theirs["offsets"], rtol=2e-3, atol=2e-3)
    assert start.unfolded == (not folded)


def test_refined_statistics_change_no_answer_and_make_batches_agree_with_it() -> None:
    card = small_card()
    network = _network(card, seed=3)
    before = _answers(network)
    pictures = np.random.default_rng(1).integers(0, 256, (64, 96, 96, 3)).astype(np.uint8)
    far = np.asarray(network(pictures.astype(np.float32), training=True)["logits"])
    network.set_weights(_network(card, seed=3).get_weights())
    plain = np.asarray(network(pictures.astype(np.float32), training=False)["logits"])

    assert refine_statistics(network, [pictures[:32], pictures[32:]]) == 35
    np.testing.assert_allclose(_answers(network)["logits"], before["logits"], rtol=1e-3, atol=1e-3)
    near = np.asarray(network(pictures.astype(np.float32), training=True)["logits"])
    assert np.abs(near - plain).mean() < 0.02 * np.abs(far - plain).mean()


@pytest.mark.parametrize(("scores", "chance"), [("sigmoid", 0.01), ("softmax", 1 / 3)])
def test_fresh_predictors_begin_by_saying_little(scores: Any, chance: float) -> None:
    network = build_network(replace(small_card(), score_activation=scores))
    calm_predictors(network, scores)
    found = _scores(_answers(network), scores)
    np.testing.assert_allclose(found.mean(), chance, rtol=0.1)
    assert found.std() < 0.2 * chance
    assert np.abs(_answers(network)["offsets"]).mean() < 0.5


def test_another_architecture_is_refused_in_a_sentence() -> None:
    vgg = new_card("ssd300-vgg16", name="vgg", classes=("cat",))
    network = _network(small_card(), seed=1)
    with pytest.raises(TrainingError, match="'vgg' is ssd300-vgg16"):
        start_from_model(network, small_card(), vgg, {}, Aliases([]))


@pytest.mark.parametrize(
    ("file", "width"),
    [
        ("mobilenet_v1_0.25_224_no_top.h5", 0.25),
        ("mobilenet_v1_1.0_224_quant_embedding_extractor.tflite", 1.0),
    ],
)
@pytest.mark.parametrize("folded", [True, False])
def test_a_backbone_computes_what_its_file_says(shared: Path, file: str, width: float, folded: bool) -> None:
    card = small_card(width=width, folded=folded)
    network = _network(card, seed=1)
    start = start_from_backbone(network, read_backbone(shared / "models" / file), file)
    assert "27 convolutions" in start.notes[0] and "Conv2d_14_1x1" in start.notes[0]
    assert start.unfolded == (file.endswith(".tflite") and not folded)

    trunk = keras.Model(network.input, network.get_layer("Conv2d_13_pointwise_relu6").output)
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    strides = [each.strides for each in network.layers if isinstance(each, kinds)]
    x = _PICTURES / 127.5 - 1
    for unit, stride in zip(read_backbone(shared / "models" / file), strides):
        unit = unit.folded()
        convolve = keras.ops.depthwise_conv if unit.depthwise else keras.ops.conv
        x = keras.ops.clip(convolve(x, unit.kernel, strides=stride, padding="same") + unit.bias, 0, 6)
    np.testing.assert_allclose(np.asarray(trunk(_PICTURES)), np.asarray(x), rtol=1e-3, atol=1e-3)


def test_a_backbone_of_another_width_is_refused_in_a_sentence(shared: Path) -> None:
    network = _network(small_card(width=0.5), seed=1)
    with pytest.raises(TrainingError, match=r"first kernel is \(3, 3, 3, 8\), not \(3, 3, 3, 16\)"):
        path = shared / "models" / "mobilenet_v1_0.25_224_no_top.h5"
        start_from_backbone(network, read_backbone(path), path.name)


def test_a_file_that_holds_no_backbone_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "notes.h5"
    path.write_text("not weights")
    with pytest.raises(ImportFileError, match=r"notes\.h5 is neither a Keras HDF5 file nor a TFLite file"):
        read_backbone(path)


def test_a_network_of_keras_applications_is_read_as_its_own_file_is(tmp_path: Path) -> None:
    model = keras.applications.MobileNet(weights=None, include_top=False, alpha=0.25, input_shape=(96, 96, 3))
    path = tmp_path / "mobilenet.h5"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras would rather write its newer format
        model.save(path)
    direct, filed = list(units_of(model)), read_backbone(path)
    assert len(direct) == 27
    for one, other in zip(direct, filed, strict=True):
        assert one.name == other.name and one.depthwise == other.depthwise
        assert np.array_equal(one.kernel, other.kernel)
        assert one.normalisation is not None and other.normalisation is not None
        assert np.array_equal(one.normalisation.variance, other.normalisation.variance)


def test_without_a_network_imagenet_weights_are_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody answers there
    with pytest.raises(TrainingError, match=r"could not be fetched .* --backbone-weights instead"):
        fetch_backbone("ssd300-mobilenet-v1", {"width": 0.25, "folded": False})


def test_a_damaged_file_of_keras_is_said(tmp_path: Path) -> None:
    whole = tmp_path / "whole.h5"
    with h5py.File(whole, "w") as file:
        file.attrs["layer_names"] = ["conv"]
        layer = file.create_group("conv")
        layer.attrs["weight_names"] = ["conv/kernel:0"]
        layer["conv/kernel:0"] = np.ones((3, 3, 3, 8), np.float32)
    assert [unit.name for unit in read_backbone(whole)] == ["conv"]
    content = whole.read_bytes()
    half = len(content) // 2
    for name, damaged in {
        "cut.h5": content[:half],
        "zeros.h5": content[:half] + bytes(len(content) - half),  # as a download that was begun leaves it
    }.items():
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(ImportFileError, match=f"{name} is damaged or not complete"):
            read_backbone(tmp_path / name)


def test_a_file_of_keras_that_lacks_a_layer_it_names_is_said(tmp_path: Path) -> None:
    path = tmp_path / "lacking.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["conv"]
    with pytest.raises(ImportFileError, match="damaged or not complete"):
        read_backbone(path)
