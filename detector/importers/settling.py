"""From the arrays of a foreign SSD to a model of ours, by what the file knows and what a person says."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.anchors import AnchorLayout
from detector.class_names import UNUSED
from detector.errors import ImportFileError, ModelError
from detector.importers.imported import Imported
from detector.importers.naming import class_names
from detector.importers.published_anchors import Fitting, fitting_anchors
from detector.importers.said import Said, first_size
from detector.model_card import ModelCard, Option
from detector.networks.architectures import Preprocessing
from detector.networks.catalog import build_network, feature_map_shapes, new_card

Weights = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An SSD as a file holds it. What is None the file does not say.

    what          the network in words, to begin a sentence
    sources       the layers it predicts from, finest map first
    weights       all of them, under the names of our layers, as Keras turns them
    layout        its anchors
    exact         the same before Caffe cut their sizes to whole pixels
    ported        from Caffe to something that does not cut them
    fitting       what its origin's weights may have, where that differs from Caffe's
    any_size      the network takes any, so nothing is usual
    card          further fields of the card: variances, nms_iou, max_detections
    """

    what: str
    architecture: str
    sources: tuple[str, ...]
    weights: Weights
    options: Mapping[str, Option] = field(default_factory=dict)
    layout: AnchorLayout | None = None
    exact: AnchorLayout | None = None
    ported: bool = False
    fitting: Fitting | None = None
    input_size: tuple[int, int] | None = None
    any_size: bool = False
    preprocessing: Preprocessing | None = None
    card: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def settle(file: Path, found: Found, *, name: str, said: Said) -> Imported:
    """The model, not saved yet.

    raises  ImportFileError when something is missing, contradicts what the person says, or does not fit
    """
    said.check_architecture(found.architecture, file.name)
    per_cell = tuple(_outputs(found, f"{source}_offsets", file) // 4 for source in found.sources)
    columns = _columns(found, per_cell, file)
    layout = _layout(file, found, per_cell, columns, said)
    names, naming = class_names(file, columns - 1, said.classes_file)
    used = [column for column, each in enumerate(names, start=1) if each != UNUSED]
    card = _card(found, name, [names[column - 1] for column in used], layout, file)
    try:
        weights = {
            variable: of_each_anchor(array, columns, [0, *used]) if "_logits/" in variable else array
            for variable, array in found.weights.items()
        }
    except ValueError as error:
        raise ImportFileError(f"{file.name} contradicts itself: {error}; fetch it again.") from error
    _check(card, weights, file)
    height, width = card.input_size
    notes = [
        f"{found.what}: {height}x{width} pixels, {layout.count} anchors, "
        f"{columns - 1} {'class' if columns == 2 else 'classes'}.",
        *found.notes,
        f"Its smallest anchors have {first_size(layout):.4g} pixels. Pictures: {_picture_words(card)}.",
        naming,
    ]
    if unused := len(names) - len(used):
        notes.append(f"{unused} of them are ids without a name and are left out: {len(used)} classes remain.")
    return Imported(card, weights, tuple(notes))


def of_each_anchor(array: NDArray[np.float32], values: int, chosen: list[int]) -> NDArray[np.float32]:
    """Of (..., anchors * values) the chosen values of each anchor, in that order."""
    by_anchor = array.reshape(*array.shape[:-1], -1, values)[..., chosen]
    return by_anchor.reshape(*array.shape[:-1], -1)


def _columns(found: Found, per_cell: tuple[int, ...], file: Path) -> int:
    """Scores of each anchor, background included."""
    columns = {
        _outputs(found, f"{source}_logits", file) / count for source, count in zip(found.sources, per_cell)
    }
    if len(columns) != 1 or not min(columns).is_integer() or min(columns) < 2:
        raise ImportFileError(
            f"{file.name} is {found.what}, but its predictors do not agree on the number of classes."
        )
    return int(columns.pop())


def _outputs(found: Found, layer: str, file: Path) -> int:
    kernel = found.weights.get(f"{layer}/kernel")
    if kernel is None or kernel.ndim != 4 or kernel.shape[3] < 4:
        raise ImportFileError(f"{file.name} is {found.what}, but what predicts there is missing: {layer}.")
    return int(kernel.shape[3])


def _layout(file: Path, found: Found, per_cell: tuple[int, ...], columns: int, said: Said) -> AnchorLayout:
    size = said.choose_input_size(found.input_size, file.name)
    if found.layout is not None:
        exact = found.exact is not None and said.means(found.exact)
        layout = found.exact if exact and found.exact is not None else found.layout
        said.check_anchors(layout, file.name)
        if layout.boxes_per_cell != per_cell:
            raise ImportFileError(
                f"{file.name} contradicts itself: its predictors are for {per_cell} anchors a cell, "
                f"its anchor layers make {layout.boxes_per_cell}."
            )
        return layout
    fitting = found.fitting or fitting_anchors(found.architecture, columns, exact=found.ported)
    layout = said.choose_anchors(file.name, per_cell, fitting)
    if size is None and found.any_size:
        raise ImportFileError(
            f"{file.name} does not say for which pictures it was trained; "
            "say it with --input-size HxW, height first, such as 300x480."
        )
    if size is None or size == layout.image_size:
        return layout
    return layout.for_maps(feature_map_shapes(found.architecture, size, found.options), size)


def _card(found: Found, name: str, classes: list[str], layout: AnchorLayout, file: Path) -> ModelCard:
    try:
        card = new_card(found.architecture, name=name, classes=classes, layout=layout, options=found.options)
        card = replace(card, origin=f"{found.what}; imported from {file.name}", **found.card)
    except ValueError as error:
        raise ImportFileError(f"{file.name} cannot be run: {error}.") from error
    if found.preprocessing is None:
        return card
    order, mean, scale = found.preprocessing
    return replace(card, channel_order=order, mean=mean, scale=scale)


def _check(card: ModelCard, weights: Weights, file: Path) -> None:
    """Makes sure that the network takes them all, and nothing else."""
    from detector.networks.weights import check_weights

    try:
        check_weights(build_network(card), weights)
    except ModelError as error:
        raise ImportFileError(
            f"{file.name} is no {card.architecture} as it is known here: {error}"
        ) from error
    if broken := [name for name, array in weights.items() if not np.isfinite(array).all()]:
        raise ImportFileError(f"{file.name} holds weights that are no numbers ({broken[0]}); fetch it again.")


def _picture_words(card: ModelCard) -> str:
    mean, scale = (", ".join(f"{each:.6g}" for each in dict.fromkeys(one)) for one in (card.mean, card.scale))
    return f"{card.channel_order}, (x - {mean}) * {scale}"
