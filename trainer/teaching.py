"""Learning from another model's answers beside the labels: it knows of objects that nobody marked."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from detector.class_names import Aliases
from detector.errors import OptionError
from detector.model_card import ModelCard
from trainer.loss import binary_entropy, smooth_l1

Tensor = Any


class Teacher:
    """A model whose scores and boxes are aims.

    source  Hinton et al. 2015, Distilling the Knowledge in a Neural Network; for detectors Chen et al. 2017
    raises  OptionError when the two do not look at pictures through the same anchors, or it lacks a class
    """

    def __init__(
        self, network: keras.Model, teacher: ModelCard, student: ModelCard, aliases: Aliases
    ) -> None:
        self._network = network
        self._teacher, self._student = teacher, student
        alike = ("anchors", "variances", "channel_order")
        if unlike := [name for name in alike if getattr(teacher, name) != getattr(student, name)]:
            raise OptionError(
                f"'{teacher.name}' cannot teach '{student.name}': the {unlike[0].replace('_', ' ')} differ. "
                "Start from it (--from), or choose another teacher."
            )
        self._columns = _columns(teacher, student, aliases)

    def loss(self, pictures: Tensor, answers: Mapping[str, Tensor]) -> Tensor:
        """How far a network's answers are from the teacher's on the same pictures: a scalar.

        Divided by how many anchors the teacher takes for objects.
        """
        taught = self._network(pictures, training=False)
        chances = ops.stop_gradient(
            self._chances(ops.cast(taught["logits"], "float32"))
        )  # (b, a, 1 + classes)
        objects = 1 - chances[..., 0]
        divisor = ops.maximum(ops.sum(objects), 1.0)
        logits = ops.cast(answers["logits"], "float32")
        if self._student.score_activation == "softmax":
            classes = -ops.sum(chances * ops.log_softmax(logits, axis=-1))
        else:
            classes = ops.sum(binary_entropy(chances[..., 1:], logits[..., 1:]))
        apart = ops.cast(answers["offsets"], "float32") - ops.stop_gradient(
            ops.cast(taught["offsets"], "float32")
        )
        places = ops.sum(smooth_l1(apart) * objects[..., None])
        return (classes + places) / divisor

    def _chances(self, logits: Tensor) -> Tensor:
        """The teacher's belief in background and each of the student's classes, which sum up to 1."""
        if self._teacher.score_activation == "softmax":
            scores = ops.softmax(logits, axis=-1)
        else:
            scores = ops.sigmoid(logits)
        scores = ops.take(scores, ops.array(self._columns, "int32"), axis=-1)
        together = ops.sum(scores, axis=-1, keepdims=True)
        scores = scores / ops.maximum(together, 1.0)
        return ops.concatenate([1 - ops.sum(scores, axis=-1, keepdims=True), scores], axis=-1)


def _columns(teacher: ModelCard, student: ModelCard, aliases: Aliases) -> Sequence[int]:
    """Where the teacher has each class of the student; its column 0 is background."""
    found = [aliases.find(name, teacher.classes) for name in student.classes]
    if None in found:
        strange = student.classes[found.index(None)]
        raise OptionError(
            f"'{teacher.name}' does not know '{strange}', so it cannot teach it; --alias may help."
        )
    return [1 + teacher.classes.index(name) for name in found if name is not None]
