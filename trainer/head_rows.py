"""Keeps what a model's heads know of the classes that a new model has too."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.class_names import Aliases
from detector.model_card import ModelCard

Arrays = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class KeptRows:
    """New heads for the scores, "<layer>/<variable>" -> array, and what was kept, in words."""

    arrays: dict[str, NDArray[np.float32]]
    sentence: str


def carry_rows(
    fresh: Arrays, card: ModelCard, weights: Arrays, source: ModelCard, aliases: Aliases
) -> KeptRows:
    """The score heads of a new network: rows of `source` for classes known there, its own fresh ones else.

    fresh    the new network's random weights
    weights  the model's

    Column a * (1 + classes) + c of a head is class c of the cell's anchor a; column 0 is background. From
    sigmoid to softmax a class keeps its row and background answers 0: where one class speaks, its softmax is
    its sigmoid. From softmax to sigmoid it takes its row less background's: exact where only these two speak.
    """
    found = [aliases.find(name, source.classes) for name in card.classes]
    columns = [0, *(0 if name is None else 1 + source.classes.index(name) for name in found)]
    known = np.array([True, *(name is not None for name in found)])
    arrays: dict[str, NDArray[np.float32]] = {}
    for path, own in fresh.items():
        layer = path.split("/")[0]
        if not layer.endswith("_logits") or path not in weights:
            continue
        theirs = weights[path]
        if theirs.shape[:-1] != own.shape[:-1]:
            continue
        count = own.shape[-1] // (1 + len(card.classes))
        rows = theirs.reshape(*theirs.shape[:-1], count, 1 + len(source.classes))
        rows = _translated(rows, source.score_activation, card.score_activation)
        new = own.reshape(*own.shape[:-1], count, 1 + len(card.classes)).copy()
        new[..., known] = rows[..., columns][..., known]
        if path.endswith("/bias") and known[1:].any():
            # a class that is new starts as rare as the others are, not at even chances
            new[..., ~known] = rows[..., 1:].mean(axis=-1, keepdims=True)
        arrays[path] = new.reshape(own.shape)
    names = [name for name, old in zip(card.classes, found) if old is not None]
    strange = [name for name, old in zip(card.classes, found) if old is None]
    kept = f"kept what '{source.name}' knows of {', '.join(names)}" if names else "no class is known to it"
    return KeptRows(arrays, f"Heads: {kept}" + (f"; new: {', '.join(strange)}." if strange else "."))


def _translated(rows: NDArray[np.float32], old: str, new: str) -> NDArray[np.float32]:
    """(..., anchors, 1 + classes) for another way of making scores."""
    if old == new:
        return rows
    rows = rows.copy()
    if new == "sigmoid":
        rows[..., 1:] -= rows[..., :1]
    rows[..., 0] = 0
    return rows
