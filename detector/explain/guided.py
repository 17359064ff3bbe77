"""Guided backpropagation: the fine lines of a picture. Detail, not evidence.

It restores edges whatever the weights are: of all methods it changes least when a network is randomised
(Adebayo et al. 2018, and tests/oracles/test_explanations.py).
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from detector.networks.weights import assign_weights, weights_of


def guided_copy(network: keras.Model) -> keras.Model:
    """The same answers; backwards, a ReLU lets through only what is positive on both sides.

    Other activations are left as they are.

    source  Springenberg et al. 2014
    """
    copy = keras.models.clone_model(network, clone_function=_guided)
    assign_weights(copy, weights_of(network))
    return copy


def _guided(layer: keras.layers.Layer) -> keras.layers.Layer:
    """A layer of the same settings; its activation replaced where that is a ReLU."""
    copy = type(layer).from_config(layer.get_config())
    for relu, largest in ((keras.activations.relu, None), (keras.activations.relu6, 6.0)):
        if getattr(layer, "activation", None) is relu:
            copy.activation = _guided_relu(largest)
    return copy


def _guided_relu(largest: float | None) -> Callable[[Any], Any]:
    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def relu(x: Any) -> Any:
        inside = x > 0 if largest is None else ops.logical_and(x > 0, x < largest)

        def gradient(*arguments: Any, upstream: Any = None) -> Any:
            (behind,) = arguments if upstream is None else (upstream,)  # the backends call it differently
            return ops.where(inside, ops.maximum(behind, 0), 0)

        return ops.maximum(x, 0) if largest is None else ops.clip(x, 0, largest), gradient

    return lambda x: relu(x)
