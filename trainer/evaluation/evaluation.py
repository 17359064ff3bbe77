"""How good a model's answers are: all figures of one model on one dataset."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from detector.values import Detections, LabelMap
from trainer.datasets import Example
from trainer.evaluation.average_precision import area_ap, curve, eleven_point_ap, mean_ap
from trainer.evaluation.matching import RIGHT, ClassMatches, match


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFigures:
    """One class; AP is None where the pictures hold no object of it.

    precision, recall, f1  at the minimum score
    """

    name: str
    objects: int
    voc07_ap: float | None
    voc_area_ap: float | None
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All figures of one model on one dataset."""

    images: int
    objects: int
    min_score: float
    voc07_map: float
    voc_area_map: float
    classes: tuple[ClassFigures, ...]

    def to_json(self) -> dict[str, Any]:
        per_class = {
            each.name: {
                "objects": each.objects,
                "voc07_ap": each.voc07_ap,
                "voc_area_ap": each.voc_area_ap,
                "precision": each.precision,
                "recall": each.recall,
                "f1": each.f1,
            }
            for each in self.classes
        }
        return {
            "voc07_map": self.voc07_map,
            "voc_area_map": self.voc_area_map,
            "min_score": self.min_score,
            "images": self.images,
            "objects": self.objects,
            "per_class": per_class,
        }


def evaluate(
    examples: Sequence[Example], detections: Sequence[Detections], labels: LabelMap, *, min_score: float = 0.5
) -> Evaluation:
    """All figures.

    detections  one for each example, class ids of `labels`, down to the lowest score the engine gives
    min_score   where precision, recall and F1 are taken
    """
    matches = match(examples, detections, len(labels))
    classes = tuple(_class_figures(name, each, min_score) for name, each in zip(labels.names, matches))
    return Evaluation(
        images=len(examples),
        objects=sum(each.objects for each in classes),
        min_score=min_score,
        voc07_map=mean_ap([each.voc07_ap for each in classes]),
        voc_area_map=mean_ap([each.voc_area_ap for each in classes]),
        classes=classes,
    )


def _class_figures(name: str, matches: ClassMatches, min_score: float) -> ClassFigures:
    line = curve(matches)
    above = matches.scores >= np.float32(min_score)
    right = int((matches.verdicts[above] == RIGHT).sum())
    found = int((matches.verdicts[above] >= 0).sum())
    objects = int(matches.positives.sum())
    precision = right / found if found else 0.0
    recall = right / objects if objects else 0.0
    return ClassFigures(
        name=name,
        objects=objects,
        voc07_ap=eleven_point_ap(line),
        voc_area_ap=area_ap(line),
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / (precision + recall) if right else 0.0,
    )
