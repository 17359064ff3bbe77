"""Gives batch normalisation statistics of the pictures at hand, without changing what the network answers.

A file for inference has normalisation folded into kernels and biases. A network started from it has layers
that normalise nothing; as soon as they trained with the statistics of batches, every map would be scaled anew
and the weights worth little. So each layer first gets the statistics its input really has, and a scale and
shift that undo them: the same answers, and training by batches begins where they are.
"""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import ops

from detector.values import Pixels


def refine_statistics(network: keras.Model, batches: Iterable[Pixels]) -> int:
    """Measures what each normalisation is given on these pictures, and takes that for its statistics.

    batches  (b, height, width, 3) uint8 in the network's channel order
    returns  how many layers were refined; answers stay as they were, but for rounding
    """
    layers = [each for each in network.layers if isinstance(each, keras.layers.BatchNormalization)]
    if not layers:
        return 0
    measured = [
        (ops.mean(each.input, axis=(0, 1, 2)), ops.mean(ops.square(each.input), axis=(0, 1, 2)))
        for each in layers
    ]
    observer = keras.Model(network.input, measured)
    sums: list[Any] = []
    count = 0
    for pictures in batches:
        answers = observer.predict_on_batch(pictures.astype(np.float32))
        flat = [np.asarray(moment, np.float64) for pair in answers for moment in pair]
        sums = flat if not sums else [total + each for total, each in zip(sums, flat)]
        count += 1
    for layer, mean, square in zip(layers, sums[0::2], sums[1::2]):
        mean = mean / count
        _restate(layer, mean, np.maximum(square / count - mean**2, 0))
    return len(layers)


def _restate(layer: Any, mean: Any, variance: Any) -> None:
    """The same function of its input by other statistics.

    For every x: scale * (x - mean) / deviation + shift, before and after.
    """
    gamma, beta, old_mean, old_variance = (
        np.asarray(each, np.float64)
        for each in (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
    )
    slope = gamma / np.sqrt(old_variance + layer.epsilon)
    layer.gamma.assign((slope * np.sqrt(variance + layer.epsilon)).astype(np.float32))
    layer.beta.assign((beta + slope * (mean - old_mean)).astype(np.float32))
    layer.moving_mean.assign(mean.astype(np.float32))
    layer.moving_variance.assign(variance.astype(np.float32))
