"""What a training starts from: a backbone's file, or a model with other classes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from detector.class_names import Aliases
from detector.errors import TrainingError
from detector.model_card import ModelCard
from detector.networks.weights import weights_of
from trainer.backbone_files import Normalisation, Unit
from trainer.head_rows import carry_rows

Arrays = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Start:
    """What came from elsewhere.

    backbone  names of the layers whose weights came with a file, predictors left out
    unfolded  normalisation was folded there and is not here: its statistics are still to be measured
    notes     sentences for the person: what was kept, what starts at random
    """

    backbone: frozenset[str]
    unfolded: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where a unit goes: a convolution of ours and the normalisation behind it, if any."""

    convolution: Any
    normalisation: Any | None


def calm_predictors(network: keras.Model, scores: str) -> None:
    """Lets fresh predictors begin by saying little, so that their first loss does not shake the backbone.

    Kernels as random as they are, but of deviation 0.01; with sigmoid scores, every class at a chance of 1 %.

    source  Lin et al. 2017, Focal Loss for Dense Object Detection, 4.1
    """
    for layer in network.layers:
        if not layer.name.endswith(("_logits", "_offsets")):
            continue
        kernel = np.asarray(layer.kernel)
        layer.kernel.assign(kernel * (0.01 / max(float(kernel.std()), 1e-12)))
        if scores == "sigmoid" and layer.name.endswith("_logits"):
            layer.bias.assign(np.full(layer.bias.shape, -np.log(99), np.float32))


def start_from_backbone(network: keras.Model, units: Sequence[Unit], origin: str) -> Start:
    """Gives a network the convolutions of a backbone, from the first one on for as long as they fit.

    origin  of the backbone, for people
    raises  TrainingError when not even the first convolution fits
    """
    places = list(_places(network))
    fitting = 0
    for place, unit in zip(places, units):
        if tuple(place.convolution.kernel.shape) != unit.kernel.shape:
            break
        _put(place, unit)
        fitting += 1
    if not fitting:
        ours, theirs = tuple(places[0].convolution.kernel.shape), units[0].kernel.shape
        raise TrainingError(
            f"{origin} does not fit {network.name}: its first kernel is {theirs}, not {ours}. "
            "Choose the architecture or its width to match."
        )
    filled = [layer.name for place in places[:fitting] for layer in _layers(place)]
    random = [place.convolution.name for place in places[fitting:]]
    notes = (
        f"{fitting} convolutions from {origin} ({places[0].convolution.name} to "
        f"{places[fitting - 1].convolution.name}); {_some(random)} start at random.",
    )
    unfolded = any(
        place.normalisation is not None and unit.normalisation is None
        for place, unit in zip(places[:fitting], units)
    )
    return Start(frozenset(filled), unfolded, notes)


def start_from_model(
    network: keras.Model, card: ModelCard, source: ModelCard, weights: Arrays, aliases: Aliases
) -> Start:
    """Gives a network the weights of a model of the same architecture, whatever its classes.

    card     of the network
    source   of the model; `weights` are its
    aliases  which class names mean the same
    raises   TrainingError when the two cannot share weights
    """
    if (
        source.architecture != card.architecture
        or source.anchors.boxes_per_cell != card.anchors.boxes_per_cell
    ):
        raise TrainingError(
            f"'{source.name}' is {source.architecture} with {source.anchors.boxes_per_cell} anchors a cell: "
            f"{card.architecture} with {card.anchors.boxes_per_cell} cannot start from it."
        )
    filled: dict[str, NDArray[Any]] = {}
    unfolded = False
    for place in _places(network):
        name = place.convolution.name
        unit = _unit(name, weights, isinstance(place.convolution, keras.layers.DepthwiseConv2D))
        if unit is not None and unit.kernel.shape == tuple(place.convolution.kernel.shape):
            filled |= _put(place, unit)
            unfolded |= place.normalisation is not None and unit.normalisation is None
    own = weights_of(network)
    for name, array in weights.items():  # layers of other kinds
        if name in own and own[name].shape == array.shape and "_logits" not in name:
            filled.setdefault(name, array)
    kept = carry_rows(own, card, weights, source, aliases)
    filled |= kept.arrays
    for variable in network.weights:
        if variable.path in filled:
            variable.assign(filled[variable.path])
    layers = {path.split("/")[0] for path in filled}
    predictors = {name for name in layers if name.endswith(("_logits", "_offsets"))}
    missing = sorted({path.split("/")[0] for path in own} - layers)
    notes = [kept.sentence]
    if missing:
        notes.append(f"{_some(missing)} do not fit '{source.name}' and start at random.")
    return Start(frozenset(layers - predictors), unfolded, tuple(notes))


def _places(network: keras.Model) -> Iterator[_Place]:
    """The convolutions in the order they run, predictors left out."""
    behind = {
        each.input._keras_history.operation.name: each
        for each in network.layers
        if isinstance(each, keras.layers.BatchNormalization)
    }
    for layer in network.layers:
        kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
        if isinstance(layer, kinds) and not layer.name.endswith(("_logits", "_offsets")):
            yield _Place(layer, behind.get(layer.name))


def _unit(name: str, weights: Arrays, depthwise: bool) -> Unit | None:
    """The convolution of this name in a model of ours, with its normalisation."""
    kernel = weights.get(f"{name}/kernel")
    if kernel is None:
        return None
    of_norm = [
        weights.get(f"{name}_norm/{part}") for part in ("gamma", "beta", "moving_mean", "moving_variance")
    ]
    norm = None
    if all(each is not None for each in of_norm):
        norm = Normalisation(*of_norm)  # type: ignore[arg-type]
    return Unit(name, depthwise, kernel, weights.get(f"{name}/bias"), norm)


def _put(place: _Place, unit: Unit) -> dict[str, NDArray[Any]]:
    """Writes a unit into its place, normalised or folded as the place is; what was written."""
    written: dict[str, NDArray[Any]] = {}

    def write(variable: Any, array: NDArray[Any]) -> None:
        variable.assign(array)
        written[variable.path] = array

    if place.normalisation is None:
        unit = unit.folded()
        assert unit.bias is not None
        write(place.convolution.bias, unit.bias)
    else:
        layer = place.normalisation
        unit = unit.normalised(layer.epsilon)
        assert unit.normalisation is not None
        norm = unit.normalisation
        write(layer.gamma, norm.scale)
        write(layer.beta, norm.shift)
        write(layer.moving_mean, norm.mean)
        # the same function where the two programs add another epsilon
        write(layer.moving_variance, norm.variance + np.float32(norm.epsilon - layer.epsilon))
    write(place.convolution.kernel, unit.kernel)
    return written


def _layers(place: _Place) -> list[Any]:
    return [place.convolution] + ([place.normalisation] if place.normalisation is not None else [])


def _some(names: list[str]) -> str:
    if not names:
        return "no layers but the predictors"
    return (
        f"{', '.join(names[:3])}"
        + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        + " and the predictors"
    )
