"""The network of a training as its plan wants it: a card, a network, and what it starts from."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import keras

from detector.anchors import AnchorLayout
from detector.class_names import Aliases
from detector.errors import OptionError, TrainingError
from detector.model_card import ModelCard, Option
from detector.model_store import Model, find_model, read_weights
from detector.networks.catalog import (
    build_network,
    feature_map_shapes,
    find_architecture,
    load_network,
    new_card,
)
from trainer.backbone_files import fetch_backbone, read_backbone
from trainer.loss import Criterion, MultiBoxLoss, SigmoidFocalLoss
from trainer.plan import IMAGENET, Plan
from trainer.precision import Precision
from trainer.recipe import Recipe
from trainer.starting_weights import Start, calm_predictors, start_from_backbone, start_from_model
from trainer.teaching import Teacher

_APPLICATIONS = "Keras Applications"
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def card_for(plan: Plan, classes: tuple[str, ...]) -> ModelCard:
    """The card of the model to be made.

    raises  StudioError when the plan names an architecture or a model that there is not, or gives an option
            a value that it cannot have
    """
    data = Path(plan.data).name
    if plan.start_from is None:
        card = new_card(
            plan.architecture,
            name=plan.name,
            classes=classes,
            input_size=plan.input_size,
            layout=plan.anchors,
            options=_options(plan),
        )
        origin = f"trained on {data}{_backbone(plan)}"
        return replace(card, score_activation=_scores(plan.scores or "softmax"), origin=origin)
    source = find_model(plan.start_from).card
    size = plan.input_size or source.input_size
    options = dict(source.options)
    if plan.unfold and options.get("folded"):
        options["folded"] = False
    return replace(
        source,
        name=plan.name,
        classes=classes,
        options=options,
        input_size=size,
        anchors=_anchors(plan.anchors or source.anchors, source, size),
        score_activation=_scores(plan.scores or source.score_activation),
        origin=f"trained on {data}, started from '{source.name}': {source.origin}",
        weights_sha256="",
        measured={},
    )


def network_for(card: ModelCard, recipe: Recipe, precision: Precision = "float32") -> keras.Model:
    """The network of a card with random weights, as the recipe trains it.

    precision  of what it computes; its weights and answers are float32
    raises     OptionError when a layer that shall be frozen does not exist
    """
    keras.utils.set_random_seed(recipe.seed)
    with _policy("mixed_bfloat16" if precision == "bfloat16" else "float32"):
        network = build_network(card)
    for layer in network.layers:
        if layer.name.removesuffix("_rows").endswith(("offsets", "logits")):
            layer.dtype_policy = "float32"  # eight bits of an offset are too few to learn from
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = recipe.statistics_momentum
            layer.frozen_statistics = recipe.freeze_statistics
    for pattern in recipe.frozen:
        chosen = [layer for layer in network.layers if fnmatchcase(layer.name, pattern)]
        if not chosen:
            raise OptionError(
                f"No layer of {card.architecture} is called '{pattern}', so it cannot be frozen."
            )
        for layer in chosen:
            layer.trainable = False
    return network


def start(network: keras.Model, card: ModelCard, plan: Plan) -> Start:
    """Gives a network of random weights those that the plan wants it to start from.

    raises  StudioError when they are missing, or of another kind of network
    """
    calm_predictors(network, card.score_activation)
    if plan.start_from is not None:
        source = find_model(plan.start_from)
        return start_from_model(network, card, source.card, read_weights(source), aliases_of(plan))
    if plan.backbone_weights == IMAGENET:
        units = fetch_backbone(card.architecture, card.options)
        return start_from_backbone(network, units, _APPLICATIONS)
    if plan.backbone_weights is not None:
        path = Path(plan.backbone_weights)
        return start_from_backbone(network, read_backbone(path), path.name)
    hint = f"All layers start at random; with --backbone-weights {IMAGENET} fewer pictures would do."
    return Start(frozenset(), False, (hint,))


def criterion_for(recipe: Recipe, card: ModelCard) -> Criterion:
    """The loss for the scores of a card.

    raises  OptionError when the recipe wants one for other scores
    """
    of_scores = "multibox" if card.score_activation == "softmax" else "focal"
    if recipe.loss not in ("auto", of_scores):
        raise OptionError(
            f"The loss '{recipe.loss}' is not for {card.score_activation} scores; '{of_scores}' is."
        )
    if of_scores == "focal":
        return SigmoidFocalLoss(alpha=recipe.focal_alpha, label_smoothing=recipe.label_smoothing)
    return MultiBoxLoss(
        negatives_per_positive=recipe.negatives_per_positive,
        negatives_without_objects=recipe.negatives_without_objects,
        label_smoothing=recipe.label_smoothing,
    )


def teacher_for(plan: Plan, card: ModelCard) -> Teacher | None:
    """The model that teaches, where the recipe names one that has a say.

    raises  StudioError when there is no such model, or it cannot teach this one
    """
    if not plan.recipe.teacher or not plan.recipe.teacher_weight:
        return None
    model: Model = find_model(plan.recipe.teacher)
    with _policy("mixed_bfloat16" if plan.recipe.precision == "bfloat16" else "float32"):
        network = load_network(model)
    return Teacher(network, model.card, card, aliases_of(plan))


def aliases_of(plan: Plan) -> Aliases:
    """The class names that mean the same: those that ship and the plan's."""
    aliases = Aliases.shipped()
    for one, other in plan.aliases:
        aliases = aliases.with_pair(one, other)
    return aliases


def _backbone(plan: Plan) -> str:
    """What a card says of the backbone it started from."""
    if plan.backbone_weights is None:
        return ""
    name = _APPLICATIONS if plan.backbone_weights == IMAGENET else Path(plan.backbone_weights).name
    return f", backbone from {name}"


def _options(plan: Plan) -> dict[str, Option]:
    """The options of the plan, each of the kind that its usual value has; unknown ones as they are.

    raises  OptionError when one is of another kind, ModelError when there is no such architecture
    """
    usual = find_architecture(plan.architecture).options
    return {
        name: _option(name, value, usual[name]) if name in usual else value
        for name, value in plan.options.items()
    }


def _option(name: str, given: Option, usual: Option) -> Option:
    value = float(given) if type(usual) is float and type(given) is int else given
    if type(value) is not type(usual):
        raise OptionError(f"--option {name} must be {_KINDS[type(usual)]}, not '{value}'.")
    if (
        name == "width" and isinstance(value, float) and not 0 < value < math.inf
    ):  # of a network: 1 is what was published
        raise OptionError(f"--option {name} must be a number above 0, not {value:g}.")
    return value


def _anchors(anchors: AnchorLayout, source: ModelCard, size: tuple[int, int]) -> AnchorLayout:
    """Anchors on the maps that the model which is started from has at an input size.

    raises  TrainingError when they are for another number of maps
    """
    try:
        maps = feature_map_shapes(source.architecture, size, source.options)
        return anchors.for_maps(maps, size)
    except ValueError as error:
        raise TrainingError(
            f"The anchors do not fit '{source.name}': {error}. Propose them for its architecture."
        ) from error


def _scores(name: str) -> Any:
    if name not in ("softmax", "sigmoid"):
        raise OptionError(f"Scores are made by softmax or sigmoid, not '{name}'.")
    return name


@contextmanager
def _policy(name: str) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
