"""A model for other classes: what is kept is kept to the bit, and the network answers the same for it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detector.class_heads import ChosenClass, choose_classes, parse_classes
from detector.errors import OptionError
from detector.model_card import ModelCard
from detector.networks.catalog import build_network, new_card
from detector.networks.weights import assign_weights, weights_of
from tests.detector.random_networks import random_network

CHOSEN = parse_classes("d,b=bee,b", "new")  # reordered, doubled under another name, dropped, added


@pytest.fixture(scope="module", params=["softmax", "sigmoid"])
def before(request: pytest.FixtureRequest) -> tuple[ModelCard, Any]:
    card = new_card(
        "ssd300-mobilenet-v1",
        name="abcd",
        classes=["a", "b", "c", "d"],
        input_size=(96, 160),
        options={"width": 0.25},
    )
    card = replace(card, score_activation=request.param, measured={"voc07_map": 0.5}, origin="chance")
    return card, random_network(card)


def test_kept_classes_answer_as_before_and_new_ones_rarely(before: tuple[ModelCard, Any]) -> None:
    card, network = before
    new, weights = choose_classes(card, weights_of(network), CHOSEN, name="other")
    assert new.classes == ("d", "bee", "b", "new")
    rebuilt = build_network(new)
    assign_weights(rebuilt, weights)
    pictures = np.random.default_rng(1).integers(0, 256, (2, 96, 160, 3)).astype(np.float32)
    old_answers, answers = network(pictures), rebuilt(pictures)
    logits, old_logits = np.asarray(answers["logits"]), np.asarray(old_answers["logits"])
    np.testing.assert_allclose(logits[..., :4], old_logits[..., [0, 4, 2, 2]], atol=1e-5)
    np.testing.assert_allclose(answers["offsets"], old_answers["offsets"], atol=1e-5)
    assert np.ptp(logits[..., 4]) == 0  # whatever it sees
    if card.score_activation == "sigmoid":
        assert 1 / (1 + np.exp(-logits[0, 0, 4])) == pytest.approx(0.01)


def test_kept_weights_are_bit_equal_and_only_score_heads_change(before: tuple[ModelCard, Any]) -> None:
    card, network = before
    old = weights_of(network)
    _, weights = choose_classes(card, old, CHOSEN, name="other")
    changed = {path for path in old if not np.array_equal(old[path], weights[path])}
    assert changed == {path for path in old if path.split("/")[0].endswith("_logits")}
    for path in changed:
        # by the plain rule: channel a * C + c
        anchors = old[path].shape[-1] // 5
        for a in range(anchors):
            for c, was in enumerate([0, 4, 2, 2]):
                assert np.array_equal(weights[path][..., a * 5 + c], old[path][..., a * 5 + was])


def test_the_new_card_claims_nothing_that_was_measured_of_the_old(before: tuple[ModelCard, Any]) -> None:
    new, _ = choose_classes(before[0], weights_of(before[1]), CHOSEN, name="other")
    assert new.measured == {} and new.name == "other"
    assert new.origin == "chance; of 'abcd': d, bee (was b), b, new (new)"


def test_channels_of_the_published_example_are_taken() -> None:
    # source: SSD facts 2.10, COCO 81 -> 9 of a head with 4 anchors
    card = new_card("ssd300-vgg16", name="coco", classes=[str(c) for c in range(1, 81)])
    kernel = np.arange(324, dtype=np.float32).reshape(1, 1, 1, 324)
    chosen = [ChosenClass(str(c), str(c)) for c in (3, 8, 1, 2, 10, 4, 6, 12)]
    _, weights = choose_classes(card, {"conv4_3_norm_logits/kernel": kernel}, chosen, name="nine")
    taken = weights["conv4_3_norm_logits/kernel"].ravel()
    assert taken.shape == (36,)
    assert taken[:18].tolist() == [0, 3, 8, 1, 2, 10, 4, 6, 12, 81, 84, 89, 82, 83, 91, 85, 87, 93]


@pytest.mark.parametrize(
    ("classes", "added", "words"),
    [
        ("a,,b", "", "'' is neither a class nor OLD=NEW"),
        ("a=", "", "'a=' is neither"),
        ("a,a", "", "Two classes would be called 'a'"),
        ("a,b=a", "", "Two classes would be called 'a'"),
        ("a", "a", "Two classes would be called 'a'"),
    ],
)
def test_a_choice_that_cannot_be_meant_is_refused(classes: str, added: str, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        parse_classes(classes, added)


def test_a_class_the_model_does_not_have_is_answered_with_the_nearest() -> None:
    card = new_card("ssd300-vgg16", name="street", classes=["person", "car"])
    with pytest.raises(OptionError, match=r"'street' has no class 'persn'; did you mean 'person'\?"):
        choose_classes(card, {}, parse_classes("persn"), name="other")
    with pytest.raises(OptionError, match="models show street' lists them"):
        choose_classes(card, {}, parse_classes("zebra"), name="other")
