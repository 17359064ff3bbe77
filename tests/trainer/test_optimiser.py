"""Optimisers against loops by hand and Keras' own."""

from typing import Any

import keras
import numpy as np

from trainer.optimiser import AdamW, Momentum, clipped

_GRADIENTS = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
_START = np.float32([1, -2, 3])


def _moved(optimiser: Any, *, rate: float, decay: float) -> Any:
    weight: Any = keras.ops.convert_to_tensor(_START)
    memory = optimiser.memory(weight)
    for step, gradient in enumerate(_GRADIENTS):
        step = keras.ops.convert_to_tensor(np.int32(step))
        weight, memory = optimiser.move(weight, gradient, memory, rate=rate, decay=decay, step=step)
    return np.asarray(weight)


def test_momentum_is_the_original_rule() -> None:
    weight, speed = _START.astype(np.float64), 0.0
    for gradient in _GRADIENTS:
        speed = 0.9 * speed + 0.1 * (gradient + 0.05 * weight)
        weight = weight - speed
    np.testing.assert_allclose(_moved(Momentum(), rate=0.1, decay=0.05), weight, rtol=1e-5)


def test_adamw_is_keras_own() -> None:
    theirs = keras.optimizers.AdamW(0.1, weight_decay=0.05, epsilon=1e-8)
    variable = keras.Variable(_START)
    for gradient in _GRADIENTS:
        theirs.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    np.testing.assert_allclose(_moved(AdamW(), rate=0.1, decay=0.05), variable.numpy(), rtol=1e-4)


def test_gradients_are_shortened_together_and_only_when_too_long() -> None:
    gradients = [np.float32([3, 0]), np.float32([[4]])]
    assert [np.asarray(each).tolist() for each in clipped(gradients, 2.5)] == [[1.5, 0], [[2]]]
    for longest in (6.0, 0.0):
        assert [np.asarray(each).tolist() for each in clipped(gradients, longest)] == [[3, 0], [[4]]]


def test_gradients_of_nothing_stay_nothing() -> None:
    assert np.asarray(clipped([np.zeros(2, np.float32)], 1.0)[0]).tolist() == [0, 0]
