"""What an explanation is, held against plain arithmetic: finite differences, loops, a hand-made detector."""

import os
import subprocess
import sys
from itertools import chain

import cv2
import keras
import numpy as np
import pytest

from detector.errors import OptionError
from detector.explain.behind import suppressed_by
from detector.explain.explainer import Explainer
from detector.explain.guided import guided_copy
from detector.explain.methods import grad_cam, normalised, odam, resized
from detector.explain.probe import make_probe
from detector.explain.random_masks import by_random_masks
from detector.explain.trunk import default_map, trunks
from detector.model_store import save_model
from detector.networks.architectures import ARCHITECTURES
from detector.networks.catalog import new_card
from detector.networks.weights import weights_of
from detector.values import Frame
from tests.detector.random_networks import random_network

_CARD = new_card(
    "ssd300-mobilenet-v1", name="small", classes=["one", "two"], options={"width": 0.25}, input_size=(96, 96)
)


@pytest.fixture(scope="module")
def network():
    return random_network(_CARD)


@pytest.fixture(scope="module")
def picture():
    noise = np.random.default_rng(3).integers(0, 256, (12, 12, 3), np.uint8)
    return cv2.resize(noise, (96, 96), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def explainer(network, tmp_path_factory):
    model = save_model(_CARD, weights_of(network), folder=tmp_path_factory.mktemp("models"))
    return Explainer(model)


def test_the_gradient_says_what_moving_the_feature_map_does_to_the_logit(network, picture):
    # so small a step that hardly a ReLU switches, and large enough for float32: a hundredth of the gradient
    layer, anchor, column = "Conv2d_5_pointwise_relu6", 130, 2
    reading = make_probe(network, layer)(picture, anchor, column)
    assert reading.features.shape == reading.gradients.shape == (12, 12, 64)
    answers = network.predict_on_batch(picture[None].astype(np.float32))
    assert reading.logit == pytest.approx(answers["logits"][0, anchor, column], abs=1e-4)
    direction = np.sign(reading.gradients)
    assert np.abs(reading.gradients).sum() > 0
    tail = keras.Model(network.get_layer(layer).output, network.get_layer("logits").input[1])
    ahead, back = (
        float(tail((reading.features + step * direction)[None])[0, anchor - 108, column])
        for step in (2e-5, -2e-5)
    )
    assert (ahead - back) / 4e-5 == pytest.approx(np.abs(reading.gradients).sum(), rel=0.02)


def test_a_layer_beside_the_way_to_an_anchor_is_refused_with_those_on_it(explainer):
    frame = Frame(np.zeros((40, 60, 3), np.uint8))
    with pytest.raises(OptionError, match="does not come through a layer 'Conv2d_13_pointwise_relu6'"):
        explainer.explain(frame, anchor_id=0, class_id=0, layer="Conv2d_13_pointwise_relu6")
    with pytest.raises(OptionError, match="did you mean 'odam'"):
        explainer.explain(frame, anchor_id=0, class_id=0, method="odan")


def test_trunks_hold_what_both_heads_come_through_and_nothing_of_the_heads(network):
    first, *_, last = trunks(network)
    assert first[0].layer == "picture_scaling" and first[-1].layer == "Conv2d_11_pointwise_relu6"
    assert last[-1].layer == "Conv2d_17_3x3_relu6" and (last[-1].rows, last[-1].columns) == (1, 1)
    assert not [each for trunk in (first, last) for each in trunk if "_logits" in each.layer]
    # 96 pixels: 48, 24, 12, 6, 3 ... cells a side; 32 and more show places
    assert (default_map(first).rows, default_map(last).rows) == (48, 48)


def test_odam_is_gradient_times_feature_at_each_place_and_leaves_out_what_speaks_against():
    features, gradients = np.zeros((2, 9, 9, 2), np.float32)
    features[4, 4], gradients[4, 4] = (2, 3), (1, 1)  # speaks for it
    features[0, 0], gradients[0, 0] = (5, 0), (-1, 0)  # against
    heat = odam(features, gradients)
    # a Gaussian of one cell leaves 1 / (2 pi) of a lone gradient in its place
    assert heat[4, 4] == pytest.approx(5 / (2 * np.pi), rel=0.01)
    assert np.count_nonzero(heat) == 1
    np.testing.assert_array_equal(normalised(heat)[4, 4], 1)
    assert not normalised(np.zeros((3, 3), np.float32)).any()


def test_grad_cam_weighs_each_channel_by_its_mean_gradient():
    random = np.random.default_rng(0)
    features, gradients = random.normal(size=(2, 4, 5, 3)).astype(np.float32)
    plain = [
        [max(0.0, sum(gradients[..., k].mean() * features[y, x, k] for k in range(3))) for x in range(5)]
        for y in range(4)
    ]
    np.testing.assert_allclose(grad_cam(features, gradients), plain, atol=1e-5)


def test_a_guided_network_answers_the_same_and_sends_only_positive_gradients_back(network, picture):
    copy = guided_copy(network)
    pictures = picture[None].astype(np.float32)
    ours, theirs = (each.predict_on_batch(pictures)["logits"] for each in (network, copy))
    np.testing.assert_allclose(theirs, ours, atol=1e-4)
    before_a_relu = "Conv2d_9_pointwise_norm"
    guided, plain = (make_probe(each, before_a_relu)(picture, 130, 1) for each in (copy, network))
    assert guided.gradients.any() and guided.gradients.min() == 0 > plain.gradients.min()
    assert not guided.gradients[guided.features <= 0].any()


def test_every_method_gives_a_map_of_its_own_with_the_warmest_place_at_1(explainer, picture):
    frame = Frame(picture.copy())
    maps = {
        method: explainer.explain(frame, anchor_id=130, class_id=0, method=method)
        for method in ("odam", "grad-cam", "guided", "guided-grad-cam")
    }
    assert all(each.heat.max() == 1 and each.heat.min() >= 0 for each in maps.values())
    assert maps["odam"].layer == maps["grad-cam"].layer == "Conv2d_1_pointwise_relu6"
    assert maps["guided"].layer == "" and maps["guided"].heat.shape == (96, 96)
    assert not np.allclose(maps["odam"].heat, maps["grad-cam"].heat)


def test_random_masks_find_what_a_detector_looks_at():
    """A detector that sees nothing but the brightness of one corner."""
    picture = np.full((32, 32, 3), 200, np.uint8)

    def detect(pictures):
        scores = pictures[:, 4:10, 20:28].mean(axis=(1, 2, 3)) / 255
        boxes = np.tile(np.float32([[0.5, 0, 1, 0.5], [0, 0.5, 0.4, 1]]), (len(pictures), 1, 1))
        return boxes, np.stack([np.stack([scores, 0 * scores], -1), 0 * np.stack([scores] * 2, -1)], 1)

    heat = by_random_masks(picture, detect, 0)
    assert heat.shape == (32, 32)
    inside = heat[4:10, 20:28].mean()
    assert inside > 3 * np.delete(heat, np.s_[20:28], axis=1).mean()
    np.testing.assert_array_equal(heat, by_random_masks(picture, detect, 0))


def test_behind_a_box_are_the_anchors_that_gave_way_to_it_best_first():
    boxes = np.float32([[0, 0, 10, 10], [1, 0, 11, 10], [0, 1, 10, 11], [30, 0, 40, 10], [0, 0, 10, 10]])
    scores = np.float32([0.9, 0.5, 0.6, 0.8, 0.01])
    assert suppressed_by(0, boxes, scores, nms_iou=0.45, floor=0.05).tolist() == [2, 1]
    assert suppressed_by(3, boxes, scores, nms_iou=0.45, floor=0.05).tolist() == []


def test_the_explainer_names_the_anchors_that_its_own_nms_dropped(explainer, picture):
    frame = Frame(picture.copy())
    found = explainer.detect(frame, floor=0.05)
    of_class = found.of_classes([0])
    fallen = [
        explainer.suppressed_by(anchor, frame, class_id=0, nms_iou=_CARD.nms_iou).tolist()
        for anchor in of_class.anchor_ids.tolist()
    ]
    assert any(fallen) and set(chain(*fallen)).isdisjoint(of_class.anchor_ids.tolist())


def test_a_cell_of_the_map_lies_over_its_part_of_the_picture():
    heat = np.zeros((2, 4), np.float32)
    heat[1, 3] = 1
    large = resized(heat, 20, 80)
    assert np.unravel_index(large.argmax(), large.shape)[0] >= 14
    assert large[15, 70] == pytest.approx(1) and large[4].max() == 0


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_says_why_for_an_anchor_of_each_of_its_maps(name, tmp_path):
    card = new_card(name, name="any", classes=["one", "two"])
    explainer = Explainer(save_model(card, weights_of(random_network(card)), folder=tmp_path))
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    frame = Frame(cv2.resize(noise, (640, 480), interpolation=cv2.INTER_CUBIC))
    ends = np.cumsum(card.anchors.counts)
    for number, (end, count) in enumerate(zip(ends.tolist(), card.anchors.counts)):
        said = explainer.explain(frame, anchor_id=end - count // 2 - 1, class_id=1)
        assert said.anchor_map == number and said.heat.max() == 1
        assert said.heat.size > card.anchors.maps[number].height * card.anchors.maps[number].width
        print(name, number + 1, said.layer, said.heat.shape)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_all_of_this_holds_on_jax_too():
    command = [sys.executable, "-m", "pytest", __file__, "--timeout", "1700"]
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1700)
    assert done.returncode == 0, done.stdout
