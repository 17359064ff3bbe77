"""The mistakes worth looking at, as pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.explain.look import with_heat
from detector.explain.methods import Heat
from detector.pictures import read_picture
from detector.values import Detections, LabelMap, Pixels
from trainer.datasets import Example
from trainer.drawing import Mark, draw_marks
from trainer.evaluation.evaluation import Evaluation
from trainer.evaluation.mistakes import BACKGROUND, BOTH, CLASS, DUPLICATE, MISSED, PLACE
from trainer.evaluation.reasons import Reasons

_SIDE = 360  # pixels
_COUNT = 24  # pictures of each kind
_FOUND = (0x00, 0x5E, 0xD5)  # vermilion
_OBJECT = (0x73, 0x9E, 0x00)  # green

_SAID = {
    DUPLICATE: "a better detection has this {object}",
    CLASS: "it is a {object}",
    PLACE: "does not fit the {object}",
    BOTH: "touches a {object}",
    BACKGROUND: "nothing is labelled here",
}
_MISSED = {
    CLASS: "taken for something else",
    PLACE: "the box does not fit",
    MISSED: "not found",
}


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A picture and what to say below it.

    warm  the same with what spoke for the class; None where nobody can say
    """

    pixels: Pixels
    caption: str
    warm: Pixels | None = None


def worst_false_alarms(
    evaluation: Evaluation,
    examples: Sequence[Example],
    detections: Sequence[Detections],
    *,
    reasons: Reasons | None = None,
) -> list[Shown]:
    """The wrong detections with the highest scores, with the object each is about."""
    alarms, labels = evaluation.alarms, evaluation.labels
    shown = []
    for k in range(min(_COUNT, len(alarms.scores))):
        image, index = int(alarms.images[k]), int(alarms.objects[k])
        example = examples[image]
        taken_for = f"{labels[int(alarms.class_ids[k])]} {alarms.scores[k]:.2f}"
        marks = [Mark(detections[image].boxes[alarms.ranks[k]], taken_for, _FOUND)]
        name = _name(example, index, labels) if index >= 0 else ""
        if index >= 0:
            marks.insert(0, Mark(example.boxes[index], "", _OBJECT))
        pixels = read_picture(example.path)
        heat = reasons.of_detection(pixels, detections[image], int(alarms.ranks[k])) if reasons else None
        reason = _SAID[str(alarms.kinds[k])].format(object=name)
        shown.append(_shown(pixels, marks, f"{taken_for}: {reason} ({example.path.name})", heat))
    return shown


def worst_misses(
    evaluation: Evaluation,
    examples: Sequence[Example],
    *,
    reasons: Reasons | None = None,
) -> list[Shown]:
    """The largest objects, as shares of their pictures, without a right detection at the minimum score."""
    misses, labels = evaluation.misses, evaluation.labels
    shares = np.array([_share(examples[image], index) for image, index in zip(misses.images, misses.objects)])
    shown = []
    for k in np.argsort(-shares, kind="stable")[:_COUNT]:
        example, index = examples[misses.images[k]], int(misses.objects[k])
        name = _name(example, index, labels)
        marks = [Mark(example.boxes[index], name, _OBJECT)]
        pixels = read_picture(example.path)
        heat = reasons.of_object(pixels, example, index) if reasons else None
        caption = f"{name}: {_MISSED[str(misses.kinds[k])]} ({example.path.name})"
        shown.append(_shown(pixels, marks, caption, heat))
    return shown


def _name(example: Example, index: int, labels: LabelMap) -> str:
    return labels[int(example.class_ids[index])]


def _shown(pixels: Pixels, marks: Sequence[Mark], caption: str, heat: Heat | None) -> Shown:
    warm = None if heat is None else draw_marks(with_heat(pixels, heat), marks, side=_SIDE)
    return Shown(draw_marks(pixels, marks, side=_SIDE), caption, warm)


def _share(example: Example, index: int) -> float:
    return float(example.areas[index]) / (example.height * example.width)
