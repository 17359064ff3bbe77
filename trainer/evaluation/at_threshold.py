"""What a person gets who shows detections above one minimum score: precision, recall, confusions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.boxes import iou_matrix
from detector.values import Detections
from trainer.datasets import Example
from trainer.evaluation.matching import RIGHT, RIGHT_IOU, WRONG, ClassMatches, ignored
from trainer.evaluation.mistakes import Misses

SIZES = {"small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, float("inf"))}  # as COCO: pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many detections are right and wrong, of how many objects."""

    right: int
    wrong: int
    objects: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.objects if self.objects else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.right / (self.right + self.wrong + self.objects) if self.right else 0.0


def counts(matches: ClassMatches, min_score: float) -> Counts:
    """One class at a minimum score."""
    verdicts = matches.verdicts[matches.scores >= np.float32(min_score)]
    return Counts(
        right=int((verdicts == RIGHT).sum()),
        wrong=int((verdicts == WRONG).sum()),
        objects=int(matches.positives.sum()),
    )


def best_min_score(matches: Sequence[ClassMatches]) -> float | None:
    """The minimum score at which F1 over all classes is highest; None when nothing is right."""
    scores = np.concatenate([each.scores for each in matches])
    verdicts = np.concatenate([each.verdicts for each in matches])
    objects = sum(int(each.positives.sum()) for each in matches)
    order = np.argsort(-scores, kind="stable")
    right, wrong = np.cumsum(verdicts[order] == RIGHT), np.cumsum(verdicts[order] == WRONG)
    if not len(right) or not right[-1]:
        return None
    return float(scores[order][np.argmax(2 * right / (right + wrong + objects))])


def recall_by_size(examples: Sequence[Example], misses: Misses) -> dict[str, tuple[int, int]]:
    """Objects found and objects there are, by size.

    misses  at the minimum score
    """
    areas = [example.areas[~ignored(example)] for example in examples]
    there = np.concatenate([np.zeros(0, np.float32), *areas])
    lost = np.array([examples[image].areas[k] for image, k in zip(misses.images, misses.objects)])
    found = {}
    for name, (low, high) in SIZES.items():
        objects = int(((there >= low) & (there < high)).sum())
        found[name] = (objects - int(((lost >= low) & (lost < high)).sum()), objects)
    return found


def confusion_matrix(
    examples: Sequence[Example],
    detections: Sequence[Detections],
    class_count: int,
    *,
    min_score: float,
) -> NDArray[np.int64]:
    """Which class is taken for which.

    returns  (classes + 1, classes + 1): row = the object's class, last: no object there;
             column = the detection's class, last: not found. Difficult objects appear nowhere
    """
    table = np.zeros((class_count + 1, class_count + 1), np.int64)
    for example, answer in zip(examples, detections):
        shown = answer.above(min_score)
        found, objects = _pairs(example, shown)
        for k, class_id in enumerate(shown.class_ids):
            if found[k] < 0:
                table[class_count, class_id] += 1
            elif not ignored(example)[found[k]]:
                table[example.class_ids[found[k]], class_id] += 1
        for class_id in example.class_ids[~objects & ~ignored(example)]:
            table[class_id, class_count] += 1
    return table


def _pairs(example: Example, shown: Detections) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The object of each detection (-1: none), and which objects have one; pairs of one class go first."""
    found, taken = np.full(len(shown), -1), np.zeros(len(example), bool)
    if not len(shown) or not len(example):
        return found, taken
    overlaps = iou_matrix(shown.boxes.astype(np.float64), example.boxes.astype(np.float64))
    same = shown.class_ids[:, None] == example.class_ids
    order = np.argsort(-(overlaps + same).ravel(), kind="stable")
    for k, index in zip(*np.unravel_index(order, overlaps.shape)):
        free = ignored(example)[index] or not taken[index]
        if overlaps[k, index] >= RIGHT_IOU and found[k] < 0 and free:
            found[k], taken[index] = index, True
    return found, taken
