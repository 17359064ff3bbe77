"""What is to be trained on what: the part of a training that its run folder remembers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from detector.anchors import AnchorLayout
from detector.errors import DatasetError
from trainer.datasets import Dataset, Example, open_dataset
from trainer.datasets.folders import usual_name, without_year
from trainer.datasets.opening import split_names
from trainer.recipe import Recipe

IMAGENET = "imagenet"  # in place of a file: the backbone of Keras Applications, from the network
_HELD_OUT = 0.15  # of the pictures, for validation, where the folder has no list of them
_TOO_GOOD = "figures will be better than they should."


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A training as a person asks for it.

    data              folder of labelled photographs
    name              of the model to be made
    classes, columns  as `open_dataset` takes them
    architecture      of the network, with `options` if not the usual; not with `start_from`
    input_size        of its pictures; None: as `start_from` or the architecture has it
    scores            "softmax" or "sigmoid"; None: as `start_from` has it, else softmax
    start_from        a model whose weights it starts from, and all else that is not given
    backbone_weights  a file whose first convolutions it starts from, or IMAGENET
    unfold            give a model with folded normalisation its normalisation back
    aliases           further pairs of class names that mean the same
    minutes           time to take, in place of the recipe's epochs
    anchors           made for the objects ('dataset check --anchors'); None: as the network usually has them
    """

    data: str
    name: str
    recipe: Recipe
    train_split: str | None = None
    val_split: str | None = None
    classes: str | None = None
    columns: str | None = None
    architecture: str = "ssd300-mobilenet-v1"
    options: Mapping[str, Any] = field(default_factory=dict)
    input_size: tuple[int, int] | None = None
    scores: str | None = None
    start_from: str | None = None
    backbone_weights: str | None = None
    unfold: bool = True
    aliases: tuple[tuple[str, str], ...] = ()
    minutes: float | None = None
    anchors: AnchorLayout | None = None

    def to_json(self) -> dict[str, Any]:
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        made = {"anchors": self.anchors and self.anchors.to_json()}
        return {**values, "recipe": self.recipe.to_json(), "options": dict(self.options), **made}

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> "Plan":
        size, anchors = values["input_size"], values.get("anchors")
        return Plan(
            **{
                **values,
                "recipe": Recipe().with_values(values["recipe"]),
                "input_size": tuple(size) if size else None,
                "aliases": tuple((one, other) for one, other in values["aliases"]),
                "anchors": AnchorLayout.from_json(anchors) if anchors else None,
            }
        )


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """The pictures that are learnt from, and those that choose."""

    train: Dataset
    examples: tuple[Example, ...]
    validation: tuple[Example, ...]
    sentence: str

    @property
    def left_out(self) -> str:
        """What is not learnt, in words; empty when that is nothing."""
        words = self.train.left_out()
        return (
            f"Left out, since nothing can be learnt from them: {words} ('dataset check' names them)."
            if words
            else ""
        )


def divide(plan: Plan) -> Division:
    """Reads the folder and divides it: by its own lists, or by holding some pictures out.

    Lists are known by what they are called, as `open_dataset` knows them: `train2017` is `train`. What is in
    the list to choose by is not learnt, unless that would leave nothing.

    raises  DatasetError when it holds errors, or nothing, or lists of which none is called one to learn from
    """

    def read(split: str | None) -> Dataset:
        return open_dataset(plan.data, split=split, classes=plan.classes, columns=plan.columns)

    lists = split_names(plan.data, columns=plan.columns)
    train = read(plan.train_split or _training_list(plan.data, lists))
    if not train.labels.names:
        raise DatasetError(
            f"{plan.data}: no object in any picture has a class, so there is nothing to learn."
        )
    val_split = plan.val_split or _list_called("val", lists)
    validation = None if val_split is None else read(val_split)
    if validation is None or validation.split == train.split:
        division = _held_out(train, plan.recipe.seed)
    else:
        division = _by_lists(train, validation)
    forgotten = (
        [] if plan.train_split else [name for name in _lists_called("train", lists) if name != train.split]
    )
    if forgotten:
        remark = f" Not learnt: {_quoted(forgotten)}; --train-split NAME chooses another list."
        division = replace(division, sentence=division.sentence + remark)
    return division


def _by_lists(train: Dataset, validation: Dataset) -> Division:
    chosen = {example.path for example in validation.examples}
    learnt = tuple(example for example in train.examples if example.path not in chosen)
    shared = len(train) - len(learnt)
    remark = ""
    if not learnt:
        learnt = train.examples
        remark = f" All that is learnt is in '{validation.split}' too: {_TOO_GOOD}"
    elif shared:
        remark = f" {shared} of '{train.split}' are in '{validation.split}' too and are not learnt."
    words = f"{len(learnt)} pictures to learn from, {len(validation)} of '{validation.split}' to choose by."
    return Division(train, learnt, validation.examples, words + remark)


def _held_out(train: Dataset, seed: int) -> Division:
    order = np.random.default_rng(seed).permutation(len(train))
    held = set(order[: round(len(train) * _HELD_OUT)].tolist())
    learnt = tuple(each for number, each in enumerate(train.examples) if number not in held)
    kept = tuple(each for number, each in enumerate(train.examples) if number in held)
    if not kept:
        words = f"{len(learnt)} pictures to learn from, too few to choose by others: {_TOO_GOOD}"
        return Division(train, learnt, learnt, words)
    words = f"{len(learnt)} pictures to learn from, {len(kept)} held out to choose by."
    return Division(train, learnt, kept, words)


def _training_list(folder: str, lists: tuple[str, ...]) -> str | None:
    """The list to learn from; None where the folder has no lists: all of it.

    raises  DatasetError when it has others only: pictures to choose by or to test with are not learnt unasked
    """
    found = _list_called("train", lists) or _list_called("trainval", lists)
    if lists and found is None:
        raise DatasetError(
            f"{folder}: none of its lists ({', '.join(lists)}) is called one to learn from; "
            "say which one is: --train-split NAME."
        )
    return found


def _list_called(usual: str, lists: tuple[str, ...]) -> str | None:
    """The list of this name, or the first of another that means the same."""
    return next(iter(_lists_called(usual, lists)), None)


def _lists_called(usual: str, lists: tuple[str, ...]) -> list[str]:
    """The lists of this name and of others that mean the same, with a year or without; its own name first."""
    same = [name for name in lists if usual_name(without_year(name)) == usual]
    return sorted(same, key=lambda name: name != usual)


def _quoted(names: list[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)
