"""The card of a model to be made: what the plan says, and where its weights began."""

from typing import Any

import pytest

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
