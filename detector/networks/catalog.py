"""Networks by the name of their architecture. Importing this costs nothing: Keras loads when one is built."""

import difflib
import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from detector.anchor_layouts import LAYOUTS
from detector.anchors import AnchorLayout
from detector.errors import ModelError
from detector.model_card import ModelCard, Option
from detector.model_store import Model, read_weights
from detector.networks.architectures import ARCHITECTURES, Architecture, Reference
from detector.networks.own import own_architecture, own_names

if TYPE_CHECKING:
    import keras


def find_architecture(name: str) -> Architecture:
    """The architecture of this name, ours or the person's own (see `detector.networks.own`).

    raises  ModelError with the nearest name; when the person's file cannot be used
    """
    if found := ARCHITECTURES.get(name) or own_architecture(name):
        return found
    names = [*ARCHITECTURES, *own_names()]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(names)}."
    raise ModelError(f"There is no architecture '{name}'; {hint}")


def new_card(
    architecture: str,
    *,
    name: str,
    classes: Sequence[str],
    input_size: tuple[int, int] | None = None,
    layout: AnchorLayout | None = None,
    options: Mapping[str, Option] | None = None,
) -> ModelCard:
    """The card of a network that has no weights yet, with what is usual for its architecture.

    input_size  (height, width); default: that of the layout. Another size refits the anchors, for which the
                network has to be built once
    layout      default: the architecture's own
    options     those that differ from the usual
    raises      ModelError when the architecture has no such option or cannot take such pictures
    """
    chosen = find_architecture(architecture)
    anchors = LAYOUTS[chosen.layouts[0]] if layout is None else layout
    all_options = _options(chosen, options or {})
    if input_size is not None and input_size != anchors.image_size:
        anchors = anchors.for_maps(feature_map_shapes(architecture, input_size, all_options), input_size)
    return ModelCard(
        name=name,
        architecture=architecture,
        options=all_options,
        input_size=anchors.image_size,
        anchors=anchors,
        variances=chosen.variances,
        channel_order=chosen.preprocessing.channel_order,
        mean=chosen.preprocessing.mean,
        scale=chosen.preprocessing.scale,
        score_activation=chosen.score_activation,
        classes=tuple(classes),
    )


def feature_map_shapes(
    architecture: str, input_size: tuple[int, int], options: Mapping[str, Option]
) -> tuple[tuple[int, int], ...]:
    """(height, width) in cells of every map that predicts, for pictures of (height, width) pixels.

    raises  ModelError when the pictures are too small
    """
    from detector.networks import assembly

    chosen = find_architecture(architecture)
    _check_size(chosen, input_size)
    feature_maps = _function(chosen.feature_maps)
    return assembly.map_shapes(feature_maps, _function(chosen.head), input_size, _options(chosen, options))


def build_network(card: ModelCard) -> "keras.Model":
    """The network a card describes, with random weights.

    returns  takes float32 (batch, height, width, 3) in the card's channel order, 0..255, not normalised;
             gives {"offsets": (batch, A, 4) encoded x, y, w, h, "logits": (batch, A, 1 + classes)}.
             Row a belongs to anchor a of the card, column 0 of the logits is background
    raises   ModelError when card and architecture do not fit
    """
    from detector.networks import assembly

    chosen = find_architecture(card.architecture)
    _check_size(chosen, card.input_size)
    feature_maps, head = _function(chosen.feature_maps), _function(chosen.head)
    return assembly.assemble(card, feature_maps, head, _options(chosen, card.options))


def load_network(model: Model) -> "keras.Model":
    """The network of a model with its weights, as `build_network` describes it.

    raises  ModelError when the weights are missing, not the card's, or do not fit the architecture
    """
    from detector.networks.weights import assign_weights

    network = build_network(model.card)
    assign_weights(network, read_weights(model))
    return network


def _options(architecture: Architecture, given: Mapping[str, Option]) -> dict[str, Option]:
    if unknown := [name for name in given if name not in architecture.options]:
        known = ", ".join(architecture.options) or "none"
        raise ModelError(f"{architecture.name} has no option '{unknown[0]}' (it has: {known}).")
    return {**architecture.options, **given}


def _check_size(architecture: Architecture, input_size: tuple[int, int]) -> None:
    height, width = input_size
    smallest = architecture.smallest_input
    if min(height, width) < smallest:
        raise ModelError(
            f"{architecture.name} cannot take pictures of {height}x{width}; "
            f"{smallest} pixels a side are the least."
        )


def _function(reference: Reference) -> Callable[..., Any]:
    if not isinstance(reference, str):
        return reference
    module, name = reference.split(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function
