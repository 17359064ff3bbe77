"""Weights for a network that nobody has trained, which give it the numbers of a trained one.

For measuring and testing. Keras' own initial weights shrink the signal from layer to layer (depthwise
convolutions most: 1e-13 is left of it at the end), and every class of every anchor gets the same score: NMS
then has nothing or everything to do.
"""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from detector.model_card import ModelCard
from detector.values import Pixels

# Of the answers: a box moves by a tenth of its anchor; scores differ enough for a few to stand out.
_OFFSET_SPREAD, _LOGIT_SPREAD = 1.0, 2.0
_SCORE = 0.05  # counts


def randomize(network: keras.Model, card: ModelCard, picture: Pixels, *, above: int) -> None:
    """Gives a network random weights, and about `above` pairs of anchor and class a score that counts.

    network  as `build_network` makes it of the card
    picture  (height, width, 3) uint8 in the card's size and channel order, on which they are counted
    """
    rng = np.random.default_rng(0)
    for layer in network.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is not None:
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            inputs = np.prod(kernel.shape[:2] if depthwise else kernel.shape[:-1])
            kernel.assign(rng.normal(0, np.sqrt(2 / inputs), kernel.shape))  # He et al. 2015: ReLU halves
    pictures = picture[None].astype(np.float32)
    heads = [layer for layer in network.layers if layer.name.endswith(("_offsets", "_logits"))]
    for head, answers in zip(heads, keras.Model(network.input, [head.output for head in heads])(pictures)):
        spread = _OFFSET_SPREAD if head.name.endswith("_offsets") else _LOGIT_SPREAD
        deviation = float(keras.ops.std(answers))
        head.kernel.assign(head.kernel * (spread / max(deviation, 1e-6)))
    logits = keras.ops.convert_to_numpy(network(pictures)["logits"])[0]
    shift = _shift(logits, card.score_activation, _SCORE, above)
    for head in heads:
        if head.name.endswith("_logits"):
            bias = np.zeros(head.bias.shape, np.float32).reshape(-1, 1 + len(card.classes))
            bias[:, 1:] = shift
            head.bias.assign(bias.ravel())


def _shift(logits: NDArray[Any], activation: str, score: float, above: int) -> float:
    """What added to every foreground logit (A, 1 + classes) lets `above` scores exceed `score`."""
    # A score exceeds it when its logit exceeds the logarithm of the odds, against all others with softmax;
    # the others are nearly the background alone, where few scores are high.
    odds = np.log(score / (1 - score))
    over = logits[:, 1:] - (logits[:, :1] if activation == "softmax" else 0) - odds
    return -float(np.partition(over.ravel(), -above)[-above])
