"""Everything that can be found out about labelled photographs before training on them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.anchors import AnchorLayout
from detector.errors import SourceError
from detector.matching import REACH
from detector.pictures import read_picture
from detector.values import LabelMap
from trainer.datasets.anchor_proposal import best_ious, propose
from trainer.datasets.example import Dataset, Example, Flaw
from trainer.datasets.likeness import alike, fingerprint
from trainer.datasets.opening import split_names, survey


@dataclass(frozen=True, slots=True)
class ClassSummary:
    """One class in the whole folder.

    objects, pictures  by split
    sides              5th, 50th, 95th percentile of the square root of an object's share of its picture
    without_anchor     objects that no anchor overlaps by 0.5: training gives them their best anchor only
    """

    name: str
    objects: Mapping[str, int]
    pictures: Mapping[str, int]
    sides: tuple[float, float, float] | None
    without_anchor: int


@dataclass(frozen=True, slots=True)
class AnchorReach:
    """How well anchors suit the objects.

    layout  the anchors
    share   of the objects that one of them overlaps by 0.5, 0..1; 1 where there are none
    """

    layout: AnchorLayout
    share: float


@dataclass(frozen=True, slots=True)
class Report:
    """What `check` found.

    pictures  by split ("all" where the folder is not divided)
    flaws     errors first
    anchors   the network's
    proposed  anchors made for these objects, of the same number; None where they would reach no more
    """

    folder: Path
    format: str
    pictures: Mapping[str, int]
    classes: tuple[ClassSummary, ...]
    flaws: tuple[Flaw, ...]
    anchors: AnchorReach
    proposed: AnchorReach | None

    @property
    def errors(self) -> tuple[Flaw, ...]:
        return tuple(flaw for flaw in self.flaws if flaw.is_error)

    def to_json(self) -> dict[str, Any]:
        return {
            "folder": str(self.folder),
            "format": self.format,
            "pictures": dict(self.pictures),
            "classes": {
                each.name: {
                    "objects": dict(each.objects),
                    "pictures": dict(each.pictures),
                    "sides": each.sides,
                    "without_anchor": each.without_anchor,
                }
                for each in self.classes
            },
            "anchors": {
                "share_reached": self.anchors.share,
                "proposed": self.proposed
                and {"share_reached": self.proposed.share, "layout": self.proposed.layout.to_json()},
            },
            "flaws": [
                {
                    "kind": flaw.kind,
                    "error": flaw.is_error,
                    "file": str(flaw.file),
                    "object": flaw.object_number,
                    "picture": str(flaw.picture),
                    "sentence": str(flaw),
                }
                for flaw in self.flaws
            ],
        }


def check(
    folder: Path,
    *,
    layout: AnchorLayout,
    columns: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Reads every label and decodes every picture.

    layout    the anchors of the network that is to be trained
    progress  called with the number of pictures done, and of all
    raises    DatasetError only when there is nothing to read
    """
    splits = split_names(folder, columns=columns)
    datasets = {split or "all": survey(folder, split=split, columns=columns) for split in splits or (None,)}
    paths = list(dict.fromkeys(e.path for each in datasets.values() for e in each.examples))
    marks, unreadable = _look_at(paths, progress)
    flaws = [flaw for dataset in datasets.values() for flaw in dataset.flaws] + unreadable
    for one, other in combinations(datasets, 2):
        flaws += _near_identical(one, datasets[one], other, datasets[other], marks)
    if not paths:
        sentence = "holds no picture whose labels can be used. Add pictures beside their labels."
        flaws.append(Flaw("no pictures", folder, None, sentence, folder))
    first = next(iter(datasets.values()))
    unique = list({e.path: e for dataset in datasets.values() for e in dataset.examples}.values())
    boxes = np.concatenate([np.zeros((0, 4)), *(_normalized(e) for e in unique)])
    overlaps = best_ious(boxes, layout)
    reach, proposed = _reach(layout, overlaps), propose(boxes, layout)
    reach_proposed = _reach(proposed, best_ious(boxes, proposed))
    return Report(
        folder=folder,
        format=first.format,
        pictures={split: len(dataset) for split, dataset in datasets.items()},
        classes=_summaries(first.labels, datasets, unique, boxes, overlaps < REACH),
        flaws=tuple(sorted(dict.fromkeys(flaws), key=lambda flaw: not flaw.is_error)),
        anchors=reach,
        proposed=reach_proposed if reach_proposed.share > reach.share else None,
    )


_Marks = Mapping[Path, NDArray[np.float32]]


def _look_at(
    paths: Sequence[Path], progress: Callable[[int, int], None]
) -> tuple[dict[Path, NDArray[np.float32]], list[Flaw]]:
    """The fingerprint of every picture, and those of which only the header can be read."""
    marks, flaws = {}, []
    for done, path in enumerate(paths, 1):
        try:
            marks[path] = fingerprint(read_picture(path))
        except SourceError as error:
            flaws.append(Flaw("unreadable picture", path, None, f"cannot be used: {error}", path))
        progress(done, len(paths))
    return marks, flaws


def _near_identical(name: str, one: Dataset, other_name: str, other: Dataset, marks: _Marks) -> list[Flaw]:
    """Pictures of one split that are in another too."""
    if "trainval" in (name, other_name) and {name, other_name} & {"train", "val"}:
        return []  # that list is meant to hold the others
    first, second = ([e.path for e in each.examples if e.path in marks] for each in (one, other))
    flaws = []
    for row, column in alike([marks[path] for path in first], [marks[path] for path in second]):
        path = second[column]
        sentence = (
            f"is nearly the same picture as {first[row].name} of '{name}', so '{other_name}' measures "
            "what was learned by heart. Move both into one of the two."
        )
        flaws.append(Flaw("near-identical", path, None, sentence, path, left_out=False))
    return flaws


def _reach(layout: AnchorLayout, overlaps: NDArray[np.float64]) -> AnchorReach:
    return AnchorReach(layout, float((overlaps >= REACH).mean()) if len(overlaps) else 1.0)


def _summaries(
    labels: LabelMap,
    datasets: Mapping[str, Dataset],
    unique: Sequence[Example],
    boxes: NDArray[np.float64],
    lonely: NDArray[np.bool_],
) -> tuple[ClassSummary, ...]:
    """unique: every picture once; boxes and lonely (n): all their objects"""
    objects = {split: _count(dataset.examples, each_picture=False) for split, dataset in datasets.items()}
    pictures = {split: _count(dataset.examples, each_picture=True) for split, dataset in datasets.items()}
    class_ids = np.concatenate([np.zeros(0, np.int32), *(e.class_ids for e in unique)])
    sides = np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
    return tuple(
        ClassSummary(
            name=name,
            objects={split: counts[class_id] for split, counts in objects.items()},
            pictures={split: counts[class_id] for split, counts in pictures.items()},
            sides=_percentiles(sides[class_ids == class_id]),
            without_anchor=int(lonely[class_ids == class_id].sum()),
        )
        for class_id, name in enumerate(labels.names)
    )


def _count(examples: Sequence[Example], *, each_picture: bool) -> Counter[int]:
    counts: Counter[int] = Counter()
    for example in examples:
        counts.update(set(example.class_ids.tolist()) if each_picture else example.class_ids.tolist())
    return counts


def _normalized(example: Example) -> NDArray[np.float64]:
    size = np.array([example.width, example.height] * 2, np.float64)
    return example.boxes / size


def _percentiles(sides: NDArray[np.float64]) -> tuple[float, float, float] | None:
    if not len(sides):
        return None
    low, middle, high = np.percentile(sides, (5, 50, 95)).tolist()
    return low, middle, high
