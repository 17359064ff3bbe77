"""The fused layer gives Keras' own numbers."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from detector.networks.batch_normalisation import BatchNormalisation


def _pair(channels: int = 6) -> tuple[Any, Any]:
    """Ours and Keras' own, with the same random variables."""
    rng = np.random.default_rng(0)
    layers = BatchNormalisation(momentum=0.9, epsilon=1e-3), keras.layers.BatchNormalization(momentum=0.9)
    values = [rng.uniform(0.5, 2, channels).astype(np.float32) for _ in range(4)]
    for layer in layers:
        layer.build((None, None, None, channels))
        layer.set_weights(values)
    return layers


def _trained(layer: Any, pictures: Any, *, training: bool) -> tuple[Any, list[Any]]:
    """What the layer gives, and the gradients by its input, scale and shift."""
    x = tf.constant(pictures)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=training)
        total = tf.reduce_sum(
            y * tf.constant(np.random.default_rng(1).normal(size=y.shape).astype(np.float32))
        )
    return y, tape.gradient(total, [x, layer.gamma.value, layer.beta.value])


@pytest.fixture
def pictures() -> Any:
    rng = np.random.default_rng(2)
    return (rng.normal(size=(4, 5, 7, 6)) * [1, 2, 3, 4, 5, 0.1] + [0, 1, -5, 9, 0, 0]).astype(np.float32)


@pytest.mark.parametrize("training", [True, False])
def test_values_gradients_and_statistics_are_keras_own(pictures: Any, training: bool) -> None:
    ours, theirs = _pair()
    (y, gradients), (expected, of_theirs) = (
        _trained(each, pictures, training=training) for each in (ours, theirs)
    )
    np.testing.assert_allclose(y, expected, atol=1e-4)
    for gradient, other in zip(gradients, of_theirs):
        np.testing.assert_allclose(gradient, other, atol=1e-4, rtol=1e-4)
    for statistic, other in zip(ours.non_trainable_variables, theirs.non_trainable_variables):
        np.testing.assert_allclose(statistic, other, atol=1e-5)


def test_frozen_statistics_are_used_and_kept_while_scale_and_shift_are_learnt(pictures: Any) -> None:
    ours, theirs = _pair()
    ours.frozen_statistics = True
    before = [each.numpy().copy() for each in ours.non_trainable_variables]
    y, gradients = _trained(ours, pictures, training=True)
    expected, of_theirs = _trained(theirs, pictures, training=False)
    np.testing.assert_allclose(y, expected, atol=1e-4)
    for gradient, other in zip(gradients, of_theirs):
        np.testing.assert_allclose(gradient, other, atol=1e-3, rtol=1e-4)
    for statistic, old in zip(ours.non_trainable_variables, before):
        np.testing.assert_array_equal(statistic, old)


def test_a_layer_that_does_not_learn_keeps_its_statistics_too(pictures: Any) -> None:
    ours, _ = _pair()
    ours.trainable = False
    before = [each.numpy().copy() for each in ours.non_trainable_variables]
    ours(pictures, training=True)
    for variable, old in zip(ours.non_trainable_variables, before):
        np.testing.assert_array_equal(variable, old)


def test_half_precision_goes_through_the_same_operator(pictures: Any) -> None:
    layer = BatchNormalisation(dtype="mixed_bfloat16")
    y = layer(tf.cast(pictures, tf.bfloat16), training=True)
    assert y.dtype == tf.bfloat16
    assert layer.moving_mean.dtype == "float32"
    exact = BatchNormalisation()(pictures, training=True)
    np.testing.assert_allclose(np.asarray(y, np.float32), exact, atol=0.05)  # eight bits of precision
