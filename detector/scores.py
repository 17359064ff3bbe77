"""From logits to scores."""

import numpy as np
from numpy.typing import NDArray

from detector.model_card import ScoreActivation
from detector.values import Scores


def scores_of(logits: NDArray[np.float32], activation: ScoreActivation) -> Scores:
    """The scores (..., classes) of logits (..., 1 + classes): background, column 0, is left out."""
    if activation == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-logits[..., 1:])), np.float32)
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers[..., 1:] / powers.sum(axis=-1, keepdims=True), np.float32)
