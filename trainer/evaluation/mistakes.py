"""What kind of mistake each wrong detection and each missed object is, and what mending a kind would gain.

A wrong detection is the first of these that fits:

    duplicate   overlaps an object of its class enough, but a better detection has it
    class       overlaps an object of another class enough
    place       overlaps an object of its class a little
    both        overlaps an object of another class a little
    background  overlaps nothing

An object is `missed` when no detection is right about it and none has merely its class or its place wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.boxes import iou_matrix
from detector.values import Boxes, Detections, Scores
from trainer.datasets import Example
from trainer.evaluation.average_precision import Curve, area_ap, mean_ap
from trainer.evaluation.matching import RIGHT, WRONG, ClassMatches, Indices, ignored

DUPLICATE, CLASS, PLACE, BOTH, BACKGROUND = "duplicate", "class", "place", "both", "background"
MISSED = "missed"
KINDS = (CLASS, PLACE, BOTH, DUPLICATE, BACKGROUND, MISSED)

_ENOUGH = 0.5
_A_LITTLE = 0.1  # below it a box is about something else (TIDE, Bolya et al. 2020)


@dataclass(frozen=True, slots=True, eq=False)
class FalseAlarms:
    """All wrong detections, highest score first.

    scores     (n,) float32
    images     (n,) int64   index of the picture
    ranks      (n,) int64   index within its Detections
    class_ids  (n,) int64   what it was taken for
    kinds      (n,) str     see KINDS
    objects    (n,) int64   the object it is about, index within its Example; -1 for background
    """

    scores: NDArray[np.float32]
    images: Indices
    ranks: Indices
    class_ids: Indices
    kinds: NDArray[np.str_]
    objects: Indices


@dataclass(frozen=True, slots=True, eq=False)
class Misses:
    """All objects without a right detection at the minimum score.

    images, objects  (n,) int64  index of the picture, and of the object within its Example
    kinds            (n,) str    MISSED, or what is wrong with the detection that is about it: CLASS, PLACE
    """

    images: Indices
    objects: Indices
    kinds: NDArray[np.str_]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindOfMistake:
    """How often a kind happens, and what it costs.

    count  detections (or missed objects) at the minimum score
    gain   what mAP (area, IoU 0.5) would gain if all of this kind, at any score, were mended
    """

    name: str
    count: int
    gain: float


def false_alarms(
    examples: Sequence[Example], detections: Sequence[Detections], matches: Sequence[ClassMatches]
) -> FalseAlarms:
    """The kind of every wrong detection.

    matches  by class, as `matching.match` gives them
    """
    wrong = [each.verdicts == WRONG for each in matches]
    scores = np.concatenate([each.scores[these] for each, these in zip(matches, wrong)])
    images = np.concatenate([each.images[these] for each, these in zip(matches, wrong)])
    ranks = np.concatenate([each.ranks[these] for each, these in zip(matches, wrong)])
    class_ids = np.repeat(np.arange(len(matches)), [these.sum() for these in wrong])
    kinds, objects = np.full(len(scores), BACKGROUND, "<U10"), np.full(len(scores), -1)
    for image in np.unique(images):
        here = np.flatnonzero(images == image)
        boxes = detections[image].boxes[ranks[here]]
        kinds[here], objects[here] = _judge(boxes, class_ids[here], examples[image])
    order = np.argsort(-scores, kind="stable")
    return FalseAlarms(
        scores[order], images[order], ranks[order], class_ids[order], kinds[order], objects[order]
    )


def _judge(boxes: Boxes, class_ids: Indices, example: Example) -> tuple[NDArray[np.str_], Indices]:
    """Kind and object of each wrong detection of one picture."""
    if not len(example):
        return np.full(len(boxes), BACKGROUND), np.full(len(boxes), -1)
    table = iou_matrix(boxes.astype(np.float64), example.boxes.astype(np.float64))
    same = class_ids[:, None] == example.class_ids
    own, others = np.where(same, table, 0), np.where(same, 0, table)
    own_best, others_best = own.max(axis=1), others.max(axis=1)
    cases = [own_best >= _ENOUGH, others_best >= _ENOUGH, own_best >= _A_LITTLE, others_best >= _A_LITTLE]
    about = [own.argmax(axis=1), others.argmax(axis=1)] * 2
    return np.select(cases, [DUPLICATE, CLASS, PLACE, BOTH], BACKGROUND), np.select(cases, about, -1)


class MistakeAnalysis:
    """Which objects were found, missed or nearly found, and what mAP would be without a kind of mistake."""

    def __init__(
        self, examples: Sequence[Example], matches: Sequence[ClassMatches], alarms: FalseAlarms
    ) -> None:
        self._matches, self._alarms = matches, alarms
        self._starts = np.cumsum([0, *map(len, examples)])  # objects are numbered through all pictures
        self._counts = np.concatenate([np.zeros(0, bool), *(~ignored(each) for each in examples)])
        self._classes = np.concatenate([np.zeros(0, np.int32), *(each.class_ids for each in examples)])
        self._alarm_objects = np.where(alarms.objects < 0, -1, self._starts[alarms.images] + alarms.objects)

    def kinds(self, min_score: float) -> tuple[KindOfMistake, ...]:
        """Every kind, in the order of KINDS."""
        above = self._alarms.kinds[self._alarms.scores >= np.float32(min_score)]
        as_it_is = self._map(np.zeros(len(self._alarms.kinds), bool), self._nothing, self._nothing)
        counts = {kind: int((above == kind).sum()) for kind in KINDS}
        counts[MISSED] = int((self.misses(min_score).kinds == MISSED).sum())
        return tuple(
            KindOfMistake(name=kind, count=counts[kind], gain=self._map(*self._mended(kind)) - as_it_is)
            for kind in KINDS
        )

    def misses(self, min_score: float) -> Misses:
        """Objects that count and have no right detection at this score or above."""
        lost = np.flatnonzero(self._counts & ~self._found(min_score))
        kinds = np.full(len(lost), MISSED, "<U10")
        for kind in (PLACE, CLASS):
            kinds[np.isin(lost, self._alarm_objects[self._about(kind, min_score)])] = kind
        images = np.searchsorted(self._starts, lost, side="right") - 1
        return Misses(images, lost - self._starts[images], kinds)

    @property
    def _nothing(self) -> Indices:
        return np.zeros(0, np.int64)

    def _found(self, min_score: float) -> NDArray[np.bool_]:
        found = np.zeros(len(self._counts), bool)
        for each in self._matches:
            right = (each.verdicts == RIGHT) & (each.scores >= np.float32(min_score))
            found[self._starts[each.images[right]] + each.objects[right]] = True
        return found

    def _about(self, kind: str, min_score: float) -> Indices:
        """Wrong detections of this kind, best first."""
        alarms = self._alarms
        return np.flatnonzero((alarms.kinds == kind) & (alarms.scores >= np.float32(min_score)))

    def _mended(self, kind: str) -> tuple[NDArray[np.bool_], Indices, Indices]:
        """Wrong detections that go, those of them that become right, and objects nobody has to find."""
        free = self._counts & ~self._found(0)
        if kind == MISSED:
            misses = self.misses(0)
            hopeless = misses.kinds == MISSED
            return (
                np.zeros(len(self._alarms.kinds), bool),
                self._nothing,
                (self._starts[misses.images] + misses.objects)[hopeless],
            )
        gone = self._alarms.kinds == kind
        if kind not in (CLASS, PLACE):
            return gone, self._nothing, self._nothing
        candidates = self._about(kind, 0)
        candidates = candidates[free[self._alarm_objects[candidates]]]
        _, first = np.unique(self._alarm_objects[candidates], return_index=True)
        return gone, candidates[first], self._nothing

    def _map(self, gone: NDArray[np.bool_], right_now: Indices, excused: Indices) -> float:
        alarms = self._alarms
        corrected = self._classes[self._alarm_objects[right_now]]
        values: list[float | None] = []
        for class_id, each in enumerate(self._matches):
            mended = alarms.scores[right_now[corrected == class_id]]
            right = np.concatenate([each.scores[each.verdicts == RIGHT], mended])
            wrong = alarms.scores[~gone & (alarms.class_ids == class_id)]
            positives = int(each.positives.sum())
            left = positives - int((self._classes[excused] == class_id).sum())
            values.append(_area_ap(right, wrong, left) if positives else None)
        return mean_ap(values)


def _area_ap(right: Scores, wrong: Scores, positives: int) -> float:
    if positives == 0:  # nothing is left to find
        return 0.0 if len(wrong) else 1.0
    scores = np.concatenate([right, wrong])
    order = np.argsort(-scores, kind="stable")
    is_right = order < len(right)
    found = np.arange(1, len(scores) + 1, dtype=np.float64)
    return area_ap(Curve(scores[order], np.cumsum(is_right, dtype=np.float64), found, positives)) or 0.0
