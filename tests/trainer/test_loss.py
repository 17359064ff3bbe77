"""The loss against sums written as loops, and numbers worked out by hand."""

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from trainer.loss import NEITHER, MultiBoxLoss, SigmoidFocalLoss, Targets


def _case(seed: int, *, batch: int = 3, anchors: int = 40, classes: int = 4) -> tuple[Any, ...]:
    """Random answers and targets: (offsets, logits, offset targets, class targets)."""
    rng = np.random.default_rng(seed)
    chances = [0.1, 0.7] + [0.2 / classes] * classes
    class_ids = rng.choice(np.int32([NEITHER, 0, *range(1, classes + 1)]), (batch, anchors), p=chances)
    offsets, goals = rng.normal(size=(2, batch, anchors, 4)).astype(np.float32)
    logits = rng.normal(scale=2, size=(batch, anchors, 1 + classes)).astype(np.float32)
    return offsets, logits, goals, class_ids.astype(np.int32)


def _losses(criterion: Any, offsets: Any, logits: Any, goals: Any, class_ids: Any) -> list[float]:
    answers = {"offsets": tf.constant(offsets), "logits": tf.constant(logits)}
    targets = Targets(tf.constant(goals, tf.float32), tf.constant(class_ids))
    return [float(part) for part in criterion(answers, targets)]


def _smooth_l1(difference: float) -> float:
    return 0.5 * difference**2 if abs(difference) < 1 else abs(difference) - 0.5


def _places_by_loops(offsets: Any, goals: Any, class_ids: Any) -> float:
    return sum(
        _smooth_l1(float(offsets[b, a, k]) - float(goals[b, a, k]))
        for b, a in zip(*np.nonzero(class_ids > 0))
        for k in range(4)
    )


def _softmax(row: NDArray[np.floating]) -> list[float]:
    powers = [math.exp(float(value)) for value in row]
    return [power / sum(powers) for power in powers]


def _classes_by_loops(logits: Any, class_ids: Any, *, ratio: float, without_objects: int) -> float:
    total = 0.0
    for picture, ids in zip(logits, class_ids):
        shares = [_softmax(row) for row in picture]
        positives = [a for a, c in enumerate(ids) if c > 0]
        negatives = sorted((-math.log(shares[a][0]) for a, c in enumerate(ids) if c == 0), reverse=True)
        wanted = int(ratio * len(positives)) if positives else without_objects
        total += sum(-math.log(shares[a][ids[a]]) for a in positives) + sum(negatives[:wanted])
    return total


@pytest.mark.parametrize("seed", range(5))
def test_the_multibox_loss_is_what_plain_loops_sum_up(seed: int) -> None:
    offsets, logits, goals, class_ids = _case(seed)
    class_ids[0] = np.minimum(class_ids[0], 0)  # a picture without objects
    positives = int((class_ids > 0).sum())
    total, classes, places = _losses(MultiBoxLoss(), offsets, logits, goals, class_ids)
    by_loops = _classes_by_loops(logits, class_ids, ratio=3, without_objects=3) / positives
    assert classes == pytest.approx(by_loops, rel=1e-5)
    assert places == pytest.approx(_places_by_loops(offsets, goals, class_ids) / positives, rel=1e-5)
    assert total == pytest.approx(classes + places, rel=1e-6)


def test_numbers_worked_out_by_hand() -> None:
    # One object of class 0, answered with even chances: ln 3. Three of four backgrounds are mined, the
    # hardest first: 1 against e for class 1 and 1 for class 0 is ln(2 + e); two more are even, ln 3 each.
    logits = np.float32([[[0, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0], [9, 0, 0]]])
    offsets = np.zeros((1, 5, 4), np.float32)
    goals = np.full((1, 5, 4), 7, np.float32)
    goals[0, 0] = [0.5, -2, 0, 1]  # 0.125 + 1.5 + 0 + 0.5
    total, classes, places = _losses(MultiBoxLoss(), offsets, logits, goals, np.int32([[1, 0, 0, 0, 0]]))
    assert classes == pytest.approx(3 * math.log(3) + math.log(2 + math.e), rel=1e-6)
    assert places == pytest.approx(2.125, rel=1e-6)
    assert total == pytest.approx(classes + places, rel=1e-6)


def test_anchors_that_tie_are_not_all_mined() -> None:
    logits = np.zeros((1, 100, 3), np.float32)  # fresh heads: every anchor answers alike
    class_ids = np.zeros((1, 100), np.int32)
    class_ids[0, 7] = 2
    places = np.zeros((1, 100, 4), np.float32)
    _, classes, _ = _losses(MultiBoxLoss(), places, logits, places, class_ids)
    assert classes == pytest.approx(4 * math.log(3), rel=1e-6)


def test_an_anchor_that_is_neither_costs_nothing_whatever_it_answers() -> None:
    offsets, logits, goals, class_ids = _case(1)
    for criterion in (MultiBoxLoss(), SigmoidFocalLoss()):
        before = _losses(criterion, offsets, logits, goals, class_ids)
        louder = np.where((class_ids == NEITHER)[..., None], np.float32(30), logits)
        further = np.where((class_ids == NEITHER)[..., None], np.float32(1e6), offsets)
        assert _losses(criterion, further, louder, goals, class_ids) == pytest.approx(before, rel=1e-6)


def test_the_original_mines_nothing_where_there_is_no_object() -> None:
    logits = np.random.default_rng(0).normal(size=(2, 30, 3)).astype(np.float32)
    places = np.zeros((2, 30, 4), np.float32)
    class_ids = np.zeros((2, 30), np.int32)
    assert _losses(MultiBoxLoss(negatives_without_objects=0), places, logits, places, class_ids) == [0, 0, 0]
    assert _losses(MultiBoxLoss(), places, logits, places, class_ids)[0] > 0


def test_smoothing_puts_a_share_of_the_target_on_every_class() -> None:
    logits = np.float32([[[2, 0, -1]]])
    shares = _softmax(logits[0, 0])
    expected = -sum(weight * math.log(share) for weight, share in zip([0.1, 0.8, 0.1], shares))
    places = np.zeros((1, 1, 4), np.float32)
    _, classes, _ = _losses(MultiBoxLoss(label_smoothing=0.3), places, logits, places, np.int32([[1]]))
    assert classes == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("gamma", "alpha"), [(0.0, 0.5), (2.0, 0.25), (1.5, 0.75)])
def test_the_focal_loss_is_what_plain_loops_sum_up(gamma: float, alpha: float) -> None:
    offsets, logits, goals, class_ids = _case(3)
    positives = int((class_ids > 0).sum())
    by_loops = 0.0
    for b, a in zip(*np.nonzero(class_ids != NEITHER)):
        for c in range(1, logits.shape[-1]):
            score = 1 / (1 + math.exp(-float(logits[b, a, c])))
            yes = class_ids[b, a] == c
            right = score if yes else 1 - score
            by_loops -= (alpha if yes else 1 - alpha) * (1 - right) ** gamma * math.log(right)
    _, classes, _ = _losses(SigmoidFocalLoss(gamma=gamma, alpha=alpha), offsets, logits, goals, class_ids)
    assert classes == pytest.approx(by_loops / positives, rel=1e-4)


@pytest.mark.parametrize("criterion", [MultiBoxLoss(), MultiBoxLoss(label_smoothing=0.1), SigmoidFocalLoss()])
@pytest.mark.parametrize("case", ["no object", "one class", "all objects", "one pixel", "very sure"])
def test_gradients_are_finite(criterion: Any, case: str) -> None:
    offsets, logits, goals, class_ids = _case(0, classes=1 if case == "one class" else 4)
    match case:
        case "no object":
            class_ids[:] = np.minimum(class_ids, 0)
            goals[:] = np.inf  # what an encoder may leave where there is nothing
        case "all objects":
            class_ids[:] = 1
        case "one pixel":  # log(1 / 300 / 1) / 0.2 and beyond
            goals[class_ids > 0] = [40, -40, -28, -28]
        case "very sure":
            logits[:] *= 1e4
    offsets, logits = tf.Variable(offsets), tf.Variable(logits)
    targets = Targets(tf.constant(goals), tf.constant(class_ids))
    with tf.GradientTape() as tape:
        total = criterion({"offsets": offsets, "logits": logits}, targets).total
    assert np.isfinite(float(total))
    for gradient in tape.gradient(total, [offsets, logits]):
        assert np.isfinite(keras.ops.convert_to_numpy(gradient)).all()
