"""Recipes: what ships can be followed, and what cannot be meant is answered with what can."""

from pathlib import Path

import pytest

from detector.errors import OptionError
from trainer.recipe import RECIPES, Recipe, read_recipe


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_that_ships_can_be_read(path: Path) -> None:
    assert read_recipe(path.stem) != Recipe()


def test_a_recipe_comes_back_from_the_run_folder_as_it_was() -> None:
    recipe = Recipe(rate=0.5, drops=(0.1, 0.2), frozen=("a*", "b"), schedule="multistep")
    assert Recipe().with_values(recipe.to_json()) == recipe


def test_whole_numbers_stand_for_fractions_too() -> None:
    assert Recipe().with_values({"epochs": 3, "frozen": "Conv2d_0", "drops": [0.5, 1]}) == Recipe(
        epochs=3.0, frozen=("Conv2d_0",), drops=(0.5, 1.0)
    )


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ({"ratte": 1.0}, "did you mean 'rate'"),
        ({"rate": "fast"}, "rate must be of kind float"),
        ({"batch": 0}, "batch must be above 0"),
        ({"mixup": 1.5}, "mixup must lie in 0..1"),
        ({"schedule": "cosin"}, "schedule must be one of cosine, multistep, constant"),
        ({"mosaic": 0.7, "mixup": 0.7}, "mosaic and mixup together"),
        ({"epochs": float("nan")}, "epochs must be a number with an end"),
        ({"weight_decay": float("inf")}, "weight_decay must be a number with an end"),
        ({"patience": -1}, "patience must be 0 or more"),
        ({"seed": 2**32}, "seed must be at most 4294967295"),
        ({"statistics_momentum": 2.0}, "statistics_momentum must lie in 0..1"),
        ({"drops": 0.5}, "drops must be numbers in brackets"),
        ({"drops": ["late"]}, "drops must be numbers in brackets"),
        ({"drops": [True]}, "drops must be numbers in brackets"),
        ({"drops": [2]}, "drops must lie in 0..1"),
        ({"frozen": 5}, "frozen must be names in brackets"),
        ({"frozen": [5]}, "frozen must be names in brackets"),
    ],
)
def test_what_cannot_be_meant_is_said(values: dict[str, object], answer: str) -> None:
    with pytest.raises(OptionError, match=answer):
        Recipe().with_values(values)


def test_a_recipe_that_there_is_not_is_answered_with_those_there_are() -> None:
    with pytest.raises(OptionError, match="There is no recipe 'nowhere'"):
        read_recipe("nowhere")
