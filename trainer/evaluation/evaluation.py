"""How good a model's answers are: all figures of one model on one dataset."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.values import Detections, LabelMap
from trainer.datasets import Example
from trainer.evaluation.at_threshold import (
    Counts,
    best_min_score,
    confusion_matrix,
    counts,
    recall_by_size,
)
from trainer.evaluation.average_precision import Curve, area_ap, curve, eleven_point_ap, mean_ap
from trainer.evaluation.coco_ap import CocoFigures, coco_figures
from trainer.evaluation.matching import match
from trainer.evaluation.mistakes import FalseAlarms, KindOfMistake, Misses, MistakeAnalysis, false_alarms


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFigures:
    """One class; AP is None where the pictures hold no object of it that counts.

    counts  at the minimum score
    """

    name: str
    voc07_ap: float | None
    voc_area_ap: float | None
    coco_ap: float | None
    coco_ap50: float | None
    counts: Counts
    curve: Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All figures of one model on one dataset.

    min_score       where precision, recall and confusions are taken
    best_min_score  where F1 over all classes would be highest
    found_by_size   objects found and objects there are, by COCO's sizes
    confusion       see `at_threshold.confusion_matrix`
    """

    labels: LabelMap
    images: int
    min_score: float
    best_min_score: float | None
    voc07_map: float
    voc_area_map: float
    coco: CocoFigures
    classes: tuple[ClassFigures, ...]
    found_by_size: dict[str, tuple[int, int]]
    kinds: tuple[KindOfMistake, ...]
    alarms: FalseAlarms
    misses: Misses
    confusion: NDArray[np.int64]

    @property
    def counts(self) -> Counts:
        """Of all classes together."""
        return Counts(
            right=sum(each.counts.right for each in self.classes),
            wrong=sum(each.counts.wrong for each in self.classes),
            objects=sum(each.counts.objects for each in self.classes),
        )

    def to_json(self) -> dict[str, Any]:
        coco = {f"coco_{name}": value for name, value in asdict(self.coco).items() if "class" not in name}
        per_class = {
            each.name: {
                "voc07_ap": each.voc07_ap,
                "voc_area_ap": each.voc_area_ap,
                "coco_ap": each.coco_ap,
                "coco_ap50": each.coco_ap50,
                **_counts_to_json(each.counts),
            }
            for each in self.classes
        }
        return {
            "voc07_map": self.voc07_map,
            "voc_area_map": self.voc_area_map,
            **coco,
            "images": self.images,
            "min_score": self.min_score,
            "best_min_score": self.best_min_score,
            **_counts_to_json(self.counts),
            "per_class": per_class,
            "by_size": {
                name: {"objects": there, "found": found, "recall": found / there if there else None}
                for name, (found, there) in self.found_by_size.items()
            },
            "mistakes": {each.name: {"count": each.count, "gain": each.gain} for each in self.kinds},
            "confusion": {
                "classes": [*self.labels.names, "none"],
                "rows": "objects",
                "columns": "detections",
                "table": self.confusion.tolist(),
            },
        }


def evaluate(
    examples: Sequence[Example], detections: Sequence[Detections], labels: LabelMap, *, min_score: float = 0.5
) -> Evaluation:
    """All figures.

    detections  one for each example, class ids of `labels`, down to the lowest score the engine gives
    min_score   where precision, recall and confusions are taken
    """
    matches = match(examples, detections, len(labels))
    coco = coco_figures(examples, detections, len(labels))
    curves = [curve(each) for each in matches]
    alarms = false_alarms(examples, detections, matches)
    analysis = MistakeAnalysis(examples, matches, alarms)
    misses = analysis.misses(min_score)
    classes = tuple(
        ClassFigures(
            name=name,
            voc07_ap=eleven_point_ap(curves[k]),
            voc_area_ap=area_ap(curves[k]),
            coco_ap=coco.class_ap[k],
            coco_ap50=coco.class_ap50[k],
            counts=counts(matches[k], min_score),
            curve=curves[k],
        )
        for k, name in enumerate(labels.names)
    )
    return Evaluation(
        labels=labels,
        images=len(examples),
        min_score=min_score,
        best_min_score=best_min_score(matches),
        voc07_map=mean_ap([each.voc07_ap for each in classes]),
        voc_area_map=mean_ap([each.voc_area_ap for each in classes]),
        coco=coco,
        classes=classes,
        found_by_size=recall_by_size(examples, misses),
        kinds=analysis.kinds(min_score),
        alarms=alarms,
        misses=misses,
        confusion=confusion_matrix(examples, detections, len(labels), min_score=min_score),
    )


def _counts_to_json(counts: Counts) -> dict[str, Any]:
    return {
        "objects": counts.objects,
        "right": counts.right,
        "wrong": counts.wrong,
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
    }
