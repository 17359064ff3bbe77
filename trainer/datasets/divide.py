"""A folder of labelled photographs divided anew into train, val and test."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from detector.errors import OptionError
from detector.pictures import read_picture
from trainer.datasets.example import Example
from trainer.datasets.likeness import alike, fingerprint
from trainer.datasets.opening import open_dataset
from trainer.datasets.writing import FORMATS, Written, doubts, losses, write_dataset


def parse_shares(text: str) -> dict[str, float]:
    """From "train=0.8,val=0.1,test=0.1"; shares need not add up to 1.

    raises  OptionError when the text is not of this form
    """
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, equals, value = (each.strip() for each in part.partition("="))
        try:
            share = float(value)
        except ValueError:
            share = 0.0
        if not name or not equals or not 0 < share < float("inf") or name in shares:
            raise OptionError(f"--into: '{part}' is not NAME=SHARE with a share above 0, each name once.")
        shares[name] = share
    return shares


def divide(
    folder: Path,
    target: Path,
    *,
    shares: Mapping[str, float],
    seed: int = 0,
    format: str | None = None,
    columns: str | None = None,
) -> Written:
    """A copy of all pictures, divided: of every class each part has its share, and twins stay together.

    format  None: that of the folder
    raises  DatasetError when the target is taken or the dataset holds errors
    """
    dataset = open_dataset(folder, columns=columns)
    groups = _alike_together(dataset.examples)
    chosen = assign(groups, shares, seed=seed)
    parts: dict[str | None, list[Example]] = {
        name: [example for group in chosen_groups for example in group]
        for name, chosen_groups in chosen.items()
    }
    format = format or dataset.format
    pictures = write_dataset(parts, dataset.labels, target, format=format)
    counts = ", ".join(f"{name} {len(examples)}" for name, examples in parts.items())
    left_out = (f"left out: {dataset.left_out()}",) if dataset.left_out() else ()
    lost = [*losses(FORMATS[format], {None: dataset}), *doubts({None: dataset})]
    return Written(target, pictures, dataset.warnings, (f"pictures: {counts}", *left_out, *lost))


def assign(
    groups: Sequence[Sequence[Example]], shares: Mapping[str, float], *, seed: int
) -> dict[str, list[Sequence[Example]]]:
    """Gives each group to a part: the rarest class first, each to the part that lacks most of it.

    source  Sechidis et al. 2011, iterative stratification
    """
    total = sum(shares.values())
    shares = {name: share / total for name, share in shares.items()}
    counts = [Counter(class_id for e in group for class_id in e.class_ids.tolist()) for group in groups]
    pictures = sum(map(len, groups))
    by_class = sum(counts, Counter())
    lacking: dict[str, dict[int | None, float]] = {
        name: {None: share * pictures, **{class_id: share * count for class_id, count in by_class.items()}}
        for name, share in shares.items()
    }
    chosen: dict[str, list[Sequence[Example]]] = {name: [] for name in shares}
    waiting = set(range(len(groups)))
    order = np.random.default_rng(seed).permutation(len(groups)).tolist()
    rarest_first: list[int | None] = [class_id for class_id, _ in reversed(by_class.most_common())]
    for class_id in [*rarest_first, None]:
        for index in [k for k in order if k in waiting and (class_id is None or class_id in counts[k])]:
            part = max(shares, key=lambda name: (lacking[name][class_id], lacking[name][None]))
            chosen[part].append(groups[index])
            waiting.remove(index)
            lacking[part][None] -= len(groups[index])
            for each, count in counts[index].items():
                lacking[part][each] -= count
    return chosen


def _alike_together(examples: Sequence[Example]) -> list[list[Example]]:
    """Near-identical pictures are one group: in two parts, one would measure what the other taught."""
    marks = [fingerprint(read_picture(example.path)) for example in examples]
    leader = list(range(len(examples)))

    def find(index: int) -> int:
        while leader[index] != index:
            index = leader[index]
        return index

    for one, other in alike(marks, marks):
        leader[max(find(one), find(other))] = min(find(one), find(other))
    groups: dict[int, list[Example]] = {}
    for index, example in enumerate(examples):
        groups.setdefault(find(index), []).append(example)
    return list(groups.values())
