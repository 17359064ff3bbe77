"""A model for other classes than it was made for: rows of its heads kept, dropped, doubled or added."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
from numpy.typing import NDArray

from detector.errors import OptionError
from detector.model_card import ModelCard

Weights = Mapping[str, NDArray[np.float32]]

_RARE = 0.01  # score of a class that is not learnt yet, by sigmoid; 0 there would mean even chances


@dataclass(frozen=True, slots=True)
class ChosenClass:
    """A class of the new model; `old` is the class whose weights it takes, None: it starts unlearnt."""

    new: str
    old: str | None


def parse_classes(text: str, added: str = "") -> tuple[ChosenClass, ...]:
    """The classes of "person,car=vehicle,car": OLD or OLD=NEW; a class may stand there twice.

    added   further classes that the model does not know: "helmet,vest"
    raises  OptionError when the text is not of this form, or two classes would have one name
    """
    chosen = []
    for part in text.split(","):
        old, equals, new = (each.strip() for each in part.partition("="))
        if not old or (equals and not new):
            raise OptionError(f"--classes: '{part}' is neither a class nor OLD=NEW.")
        chosen.append(ChosenClass(new or old, old))
    chosen += [ChosenClass(name.strip(), None) for name in added.split(",") if name.strip()]
    names = [each.new for each in chosen]
    if doubled := [name for name in names if names.count(name) > 1]:
        raise OptionError(
            f"Two classes would be called '{doubled[0]}'; OLD=NEW gives one of them another name."
        )
    return tuple(chosen)


def choose_classes(
    card: ModelCard, weights: Weights, chosen: Sequence[ChosenClass], *, name: str
) -> tuple[ModelCard, dict[str, NDArray[np.float32]]]:
    """The card and weights of a model called `name` that knows the chosen classes, in their order.

    Channel a * (1 + classes) + c of a score head is class c of the cell's anchor a; column 0, background,
    stays where it is, and so do all other weights. With softmax, scores rise a little where classes are
    dropped, since fewer share the whole.

    weights  "<layer>/<variable>" -> array, as `model_store.read_weights` gives them
    raises   OptionError when the model has no such class
    source   SSD facts 2.10
    """
    columns = [_column(card, each) for each in chosen]
    known = [column for column in columns if column is not None]
    fresh = -log(1 / _RARE - 1) if card.score_activation == "sigmoid" else 0.0
    new = dict(weights)
    for path, array in weights.items():
        layer, variable = path.rsplit("/", 1)
        if not layer.endswith("_logits"):
            continue
        table = array.reshape(*array.shape[:-1], -1, 1 + len(card.classes))
        rows = np.zeros((*table.shape[:-1], 1 + len(chosen)), array.dtype)
        if variable == "bias":
            rows[...] = fresh
        places = [0, *(1 + place for place, column in enumerate(columns) if column is not None)]
        rows[..., places] = table[..., [0, *known]]
        new[path] = rows.reshape(*array.shape[:-1], -1)
    names = tuple(each.new for each in chosen)
    told = ", ".join(_words(each) for each in chosen)
    origin = f"{card.origin}; of '{card.name}': {told}"
    return replace(card, name=name, classes=names, origin=origin, measured={}, weights_sha256=""), new


def _column(card: ModelCard, chosen: ChosenClass) -> int | None:
    if chosen.old is None:
        return None
    if chosen.old not in card.classes:
        near = difflib.get_close_matches(chosen.old, card.classes, n=1)
        hint = (
            f"did you mean '{near[0]}'?" if near else f"'python main.py models show {card.name}' lists them."
        )
        raise OptionError(f"The model '{card.name}' has no class '{chosen.old}'; {hint}")
    return 1 + card.classes.index(chosen.old)


def _words(chosen: ChosenClass) -> str:
    if chosen.old is None:
        return f"{chosen.new} (new)"
    return chosen.new if chosen.new == chosen.old else f"{chosen.new} (was {chosen.old})"
