"""The loss of a batch: how far its answers are from its objects. Backend-neutral; no state.

Answers are the network's `{"offsets": (b, a, 4), "logits": (b, a, 1 + classes)}`; targets say what each
anchor should have answered. All sums are divided by the positives of the whole batch (by 1 without any).

source  SSD paper 2.2 and Caffe's MultiBoxLoss; Lin et al. 2017 for the focal variant
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from keras import ops

from trainer.targets import NEITHER

Tensor = Any  # a tensor of whatever backend runs


class Targets(NamedTuple):
    """What the anchors of a batch should answer.

    offsets    (b, a, 4) float32  as the box coder encodes them; anything where there is no object
    class_ids  (b, a)    int32    0 background, 1 + class id for an object, NEITHER: leave the anchor out
    """

    offsets: Tensor
    class_ids: Tensor


class Losses(NamedTuple):
    """The parts of a loss, scalars: `total` is what the gradients are of."""

    total: Tensor
    classes: Tensor
    places: Tensor


class Criterion(Protocol):
    def __call__(self, answers: Mapping[str, Tensor], targets: Targets) -> Losses: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiBoxLoss:
    """Softmax cross-entropy with hard negative mining, and smooth L1 of the offsets.

    Mining is done per picture: of the anchors without an object, those that believe least in background are
    kept, as many as `negatives_per_positive` times the picture's positives.
    """

    negatives_per_positive: float = 3.0
    negatives_without_objects: int = 3  # mined in a picture without objects; the original mines none (0)
    place_weight: float = 1.0
    label_smoothing: float = 0.0  # share of the target spread evenly over all classes, background too

    def __call__(self, answers: Mapping[str, Tensor], targets: Targets) -> Losses:
        logits = ops.cast(answers["logits"], "float32")
        log_shares = ops.log_softmax(logits, axis=-1)
        classes = logits.shape[-1]
        truth = ops.one_hot(ops.maximum(targets.class_ids, 0), classes, dtype="float32")
        if self.label_smoothing:
            truth = truth * (1 - self.label_smoothing) + self.label_smoothing / classes
        entropy = -ops.sum(truth * log_shares, axis=-1)  # (b, a)

        positive = ops.cast(targets.class_ids > 0, "float32")
        ranked = _hardest_first(entropy, -log_shares[..., 0], targets.class_ids)
        counted = (
            ops.arange(ranked.shape[-1], dtype="float32")[None] < self._mined(targets.class_ids)[:, None]
        )
        mined = ops.sum(ops.where(counted, ranked, 0.0))
        divisor = _divisor(positive)
        in_classes = (ops.sum(entropy * positive) + mined) / divisor
        in_places = _place_loss(answers, targets, positive) / divisor
        return Losses(in_classes + self.place_weight * in_places, in_classes, in_places)

    def _mined(self, class_ids: Tensor) -> Tensor:
        """How many negatives of each picture count, (b,)."""
        positives = ops.sum(ops.cast(class_ids > 0, "float32"), axis=-1)
        negatives = ops.sum(ops.cast(class_ids == 0, "float32"), axis=-1)
        wanted = ops.floor(self.negatives_per_positive * positives)
        return ops.minimum(ops.where(positives > 0, wanted, float(self.negatives_without_objects)), negatives)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigmoidFocalLoss:
    """For heads that answer each class by itself: all anchors count, easy ones hardly; and smooth L1.

    The background column is not looked at: an anchor without an object is one where every class says no.
    `gamma=0, alpha=0.5` is half the plain cross-entropy.
    """

    alpha: float = 0.25  # weight of yes; no weighs 1 - alpha
    gamma: float = 2.0  # how much less what is nearly right counts; 0, or 1 and more
    place_weight: float = 1.0
    label_smoothing: float = 0.0

    def __call__(self, answers: Mapping[str, Tensor], targets: Targets) -> Losses:
        logits = ops.cast(answers["logits"], "float32")[..., 1:]
        truth = ops.one_hot(ops.maximum(targets.class_ids, 0), logits.shape[-1] + 1, dtype="float32")[..., 1:]
        goal = truth * (1 - self.label_smoothing) + self.label_smoothing / 2
        miss = ops.abs(goal - ops.sigmoid(logits))
        weight = truth * self.alpha + (1 - truth) * (1 - self.alpha)
        if self.gamma:
            weight *= miss**self.gamma
        entropy = ops.sum(weight * binary_entropy(goal, logits), axis=-1)

        positive = ops.cast(targets.class_ids > 0, "float32")
        counted = ops.cast(targets.class_ids != NEITHER, "float32")
        divisor = _divisor(positive)
        in_classes = ops.sum(entropy * counted) / divisor
        in_places = _place_loss(answers, targets, positive) / divisor
        return Losses(in_classes + self.place_weight * in_places, in_classes, in_places)


def binary_entropy(goal: Tensor, logits: Tensor) -> Tensor:
    """Cross-entropy of yes or no, each element by itself, finite for any logit."""
    return ops.maximum(logits, 0) - logits * goal + ops.log1p(ops.exp(-ops.abs(logits)))


def smooth_l1(difference: Tensor) -> Tensor:
    """Of each element: square up to a difference of 1, straight beyond."""
    size = ops.abs(difference)
    return ops.where(size < 1, 0.5 * size * size, size - 0.5)


def _divisor(positive: Tensor) -> Tensor:
    return ops.maximum(ops.sum(positive), 1.0)


def _place_loss(answers: Mapping[str, Tensor], targets: Targets, positive: Tensor) -> Tensor:
    """Sum over positives and coordinates."""
    difference = ops.cast(answers["offsets"], "float32") - targets.offsets
    # Not the difference itself where there is no object: its targets may be anything, and 0 * inf is NaN.
    return ops.sum(smooth_l1(ops.where(positive[..., None] > 0, difference, 0.0)))


def _hardest_first(entropy: Tensor, disbelief: Tensor, class_ids: Tensor) -> Tensor:
    """Each picture's entropies in falling order of disbelief in background; what is no negative comes last.

    Ranked rather than compared with a limit: while the heads are still alike, most anchors tie.
    """
    rank = ops.stop_gradient(ops.where(class_ids == 0, disbelief, -1.0))
    _, hardest = ops.top_k(rank, rank.shape[-1], sorted=True)
    return ops.take_along_axis(entropy, hardest, axis=-1)
