"""Which detections are right, by the rule of the PASCAL VOC devkit.

Within a class, highest score first: a detection belongs to the object it overlaps most. It is right when they
overlap enough and no better detection took the object before; wrong when they do not, or one did; and of no
account when the object is difficult.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.boxes import iou_matrix
from detector.values import Detections
from trainer.datasets import Example

Floats: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.int64]

RIGHT, WRONG, IGNORED = 1, 0, -1

RIGHT_IOU = 0.5  # a detection with this overlap or more may be right


@dataclass(frozen=True, slots=True, eq=False)
class ClassMatches:
    """All detections of one class, highest score first (ties: in the order of the pictures).

    scores    (n,) float32
    verdicts  (n,) int8     RIGHT, WRONG or IGNORED
    images    (n,) int64    index of the picture
    ranks     (n,) int64    index of the detection within its picture's Detections
    objects   (n,) int64    the object of its class it overlaps most, index within its Example; -1: none
    overlaps  (n,) float32  IoU with that object; 0 where there is none
    positives (images,) int64  objects of the class in each picture that count (not difficult)
    """

    scores: NDArray[np.float32]
    verdicts: NDArray[np.int8]
    images: Indices
    ranks: Indices
    objects: Indices
    overlaps: NDArray[np.float32]
    positives: Indices

    def best(self, count: int) -> "ClassMatches":
        """Those with the highest scores."""
        columns = {each.name: getattr(self, each.name)[:count] for each in fields(self)}
        return ClassMatches(**columns | {"positives": self.positives})


def match(
    examples: Sequence[Example], detections: Sequence[Detections], class_count: int
) -> list[ClassMatches]:
    """The verdict on every detection, for each class.

    detections  one for each example, class ids of the dataset
    source      VOCevaldet.m of the VOC 2007 devkit; its areas with "+1" are our areas (see datasets/voc.py)
    """
    found: list[list[_PictureMatches]] = [[] for _ in range(class_count)]
    positives = np.zeros((class_count, len(examples)), np.int64)
    for image, (example, answer) in enumerate(zip(examples, detections)):
        np.add.at(positives[:, image], example.class_ids[~ignored(example)], 1)
        for class_id in np.unique(answer.class_ids):
            found[class_id].append(_match_picture(example, answer, int(class_id), image))
    return [_join(matches, positives[class_id]) for class_id, matches in enumerate(found)]


def ignored(example: Example) -> NDArray[np.bool_]:
    """Objects that neither count when found nor when missed."""
    return example.difficult | example.crowd


_PictureMatches: TypeAlias = tuple[NDArray[np.float32], NDArray[np.int8], Indices, Indices, Indices, Floats]


def _match_picture(example: Example, answer: Detections, class_id: int, image: int) -> _PictureMatches:
    """Matching needs no other picture: verdicts depend on the order within a class and a picture alone."""
    ranks = np.flatnonzero(answer.class_ids == class_id)
    objects = np.flatnonzero(example.class_ids == class_id)
    verdicts = np.full(len(ranks), WRONG, np.int8)
    nearest = np.full(len(ranks), -1, np.int64)
    overlaps = np.zeros(len(ranks))
    if len(objects):
        # float64: an overlap of exactly one half must not fall below it by rounding
        table = iou_matrix(answer.boxes[ranks].astype(np.float64), example.boxes[objects].astype(np.float64))
        best = table.argmax(1)
        overlaps = table[np.arange(len(ranks)), best]
        nearest = np.where(overlaps > 0, objects[best], -1)
        free = ~ignored(example)
        for row in np.flatnonzero(overlaps >= RIGHT_IOU):
            taken = nearest[row]
            if ignored(example)[taken]:
                verdicts[row] = IGNORED
            elif free[taken]:
                verdicts[row] = RIGHT
                free[taken] = False
    return answer.scores[ranks], verdicts, np.full(len(ranks), image), ranks, nearest, overlaps


def _join(matches: list[_PictureMatches], positives: Indices) -> ClassMatches:
    if not matches:
        none = np.zeros(0, np.int64)
        return ClassMatches(
            none.astype(np.float32),
            none.astype(np.int8),
            none,
            none,
            none,
            none.astype(np.float32),
            positives,
        )
    scores, verdicts, images, ranks, objects, overlaps = (np.concatenate(column) for column in zip(*matches))
    order = np.argsort(-scores, kind="stable")
    return ClassMatches(
        scores[order], verdicts[order], images[order], ranks[order], objects[order],
        overlaps[order].astype(np.float32), positives,
    )  # fmt: skip
