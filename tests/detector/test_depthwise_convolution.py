"""The sum of shifted pictures is the convolution that TensorFlow computes."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.networks.depthwise_convolution import DepthwiseConvolution, _sum_of_shifted


@settings(deadline=None, max_examples=25)
@given(
    st.integers(1, 9), st.integers(1, 9), st.integers(1, 2), st.sampled_from([1, 2, 3, 5]), st.integers(0, 9)
)
def test_every_size_stride_and_kernel_gives_the_same(
    height: int, width: int, stride: int, taps: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    pictures = rng.normal(size=(2, height, width, 3)).astype(np.float32)
    kernel = rng.normal(size=(taps, taps, 3, 1)).astype(np.float32)
    expected = keras.ops.depthwise_conv(pictures, kernel, strides=stride, padding="same")
    np.testing.assert_allclose(_sum_of_shifted(pictures, kernel, (stride, stride)), expected, atol=1e-5)


_ON_JAX = """
import keras, numpy as np
from detector.networks.depthwise_convolution import DepthwiseConvolution
pictures = np.random.default_rng(0).normal(size=(2, 7, 6, 4)).astype("float32")
ours = DepthwiseConvolution(3, 2, padding="same", bias_initializer="ones")
theirs = keras.layers.DepthwiseConv2D(3, 2, padding="same")
expected = theirs(pictures)
ours.build(pictures.shape)
ours.set_weights([np.asarray(theirs.kernel), np.ones(4, "float32")])
assert keras.backend.backend() == "jax"
np.testing.assert_allclose(np.asarray(ours(pictures)), np.asarray(expected) + 1, atol=1e-5)
"""


def test_the_layer_gives_keras_own_numbers_on_jax() -> None:
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": "."}
    subprocess.run([sys.executable, "-c", _ON_JAX], env=environment, check=True, timeout=100)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_the_layer_is_keras_own_on_tensorflow(padding: str) -> None:
    pictures = np.random.default_rng(0).normal(size=(2, 7, 6, 4)).astype(np.float32)
    theirs = keras.layers.DepthwiseConv2D(3, padding=padding)
    expected = theirs(pictures)
    ours = DepthwiseConvolution(3, padding=padding)
    ours.build(pictures.shape)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_array_equal(ours(pictures), expected)


@pytest.mark.parametrize(("height", "stride"), [(8, 2), (7, 2), (7, 1)])
def test_half_precision_is_trained_by_the_same_gradients(height: int, stride: int) -> None:
    pictures = np.random.default_rng(0).normal(size=(2, height, 6, 4)).astype(np.float32)
    theirs = keras.layers.DepthwiseConv2D(3, stride, padding="same")
    theirs.build(pictures.shape)
    ours = DepthwiseConvolution(3, stride, padding="same", dtype="mixed_bfloat16")
    ours.build(pictures.shape)
    ours.set_weights(theirs.get_weights())
    found = []
    for layer in (ours, theirs):
        x = tf.constant(pictures)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.cast(layer(x), tf.float32)
            total = tf.reduce_sum(y * tf.constant(np.random.default_rng(1).normal(size=y.shape), tf.float32))
        found.append((y, *tape.gradient(total, [x, layer.kernel.value])))
    for one, other in zip(*found):
        np.testing.assert_allclose(one, other, atol=0.02 * np.abs(other).max())  # eight bits of precision
