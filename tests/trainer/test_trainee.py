"""The card of a model to be made: what the plan says, and where its weights began."""

from typing import Any

import pytest

from detector.errors import ModelError, OptionError
from trainer.plan import IMAGENET, Plan
from trainer.recipe import Recipe
from trainer.trainee import card_for


def _plan(**changes: Any) -> Plan:
    return Plan(data="some/photos", name="cats", recipe=Recipe(), **changes)


@pytest.mark.parametrize(
    ("backbone", "origin"),
    [
        (None, "trained on photos"),
        ("weights/mobilenet.h5", "trained on photos, backbone from mobilenet.h5"),
        (IMAGENET, "trained on photos, backbone from Keras Applications"),
    ],
)
def test_a_card_names_the_backbone_it_started_from(backbone: str | None, origin: str) -> None:
    assert card_for(_plan(backbone_weights=backbone), ("cat",)).origin == origin


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"width": "abc"}, "--option width must be a number, not 'abc'"),
        ({"width": True}, "--option width must be a number"),
        ({"width": -1}, "--option width must be a number above 0, not -1"),
        ({"width": float("nan")}, "--option width must be a number above 0"),
        ({"folded": 3}, "--option folded must be true or false, not '3'"),
    ],
)
def test_an_option_of_a_network_is_of_the_kind_it_usually_is(options: dict[str, Any], answer: str) -> None:
    with pytest.raises(OptionError, match=answer):
        card_for(_plan(options=options), ("cat",))


def test_a_whole_number_stands_for_a_fraction() -> None:
    width = card_for(_plan(options={"width": 1}), ("cat",)).options["width"]
    assert isinstance(width, float) and width == 1


def test_an_option_that_a_network_does_not_have_is_answered_with_those_it_has() -> None:
    with pytest.raises(ModelError, match="has no option 'foo'"):
        card_for(_plan(options={"foo": 1}), ("cat",))
