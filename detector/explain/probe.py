"""One forward and one backward pass: a feature map, and what moving it would do to one score."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from detector.values import Pixels


class Reading(NamedTuple):
    """What a probe says about one score.

    features   (rows, columns, channels) float32  the feature map
    gradients  (rows, columns, channels) float32  of the logit, by each value of the map
    logit      the score before softmax or sigmoid: a saturated one would have no gradient left
    """

    features: NDArray[np.float32]
    gradients: NDArray[np.float32]
    logit: float


Probe: TypeAlias = Callable[[Pixels, int, int], Reading]


def make_probe(network: keras.Model, layer: str) -> Probe:
    """Opens a network at one layer, on TensorFlow or JAX; compiled at the first call.

    network  as `detector.networks.catalog.build_network` gives it; not changed, but the weights are shared
    layer    the name of one with an output (batch, rows, columns, channels)
    returns  called with a picture (height, width, 3) uint8 in the network's channel order, an anchor, and a
             column of the logits
    """
    nudge = _Nudge(name="nudge")
    opened = _opened(network, layer, nudge)
    compiled = (_with_jax if keras.backend.backend() == "jax" else _with_tensorflow)(opened, nudge)

    def probe(picture: Pixels, anchor_id: int, column: int) -> Reading:
        features, gradients, logit = compiled(picture[None].astype(np.float32), anchor_id, column)
        return Reading(np.array(features)[0], np.array(gradients), float(logit))

    return probe


class _Nudge(keras.layers.Layer):
    """Adds nothing, but could: the gradient by what it adds is the gradient by the feature map itself.

    Taken this way, it does not matter how the graph goes on: around the map, or several times through it.
    """

    def build(self, input_shape: Any) -> None:
        self.added = self.add_weight(shape=input_shape[1:], initializer="zeros", name="added")

    def call(self, feature_map: Any) -> Any:
        return feature_map + ops.cast(self.added, feature_map.dtype)


def _opened(network: keras.Model, name: str, nudge: _Nudge) -> keras.Model:
    """The same layers with a nudge behind one of them, whose map is an output too."""
    found = []

    def call(layer: Any, *arguments: Any, **settings: Any) -> Any:
        answer = layer(*arguments, **settings)
        if layer.name != name:
            return answer
        found.append(nudge(answer))
        return found[0]

    copy = keras.models.clone_model(network, clone_function=lambda layer: layer, call_function=call)
    return keras.Model(copy.input, {"features": found[0], "logits": copy.output["logits"]})


def _with_tensorflow(opened: keras.Model, nudge: _Nudge) -> Callable[..., tuple[Any, Any, Any]]:
    import tensorflow as tf

    @tf.function  # type: ignore[untyped-decorator]
    def run(pictures: Any, anchor_id: Any, column: Any) -> tuple[Any, Any, Any]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(nudge.added.value)
            outputs = opened(pictures, training=False)
            logit = outputs["logits"][0, anchor_id, column]
        return outputs["features"], tape.gradient(logit, nudge.added.value), logit

    return lambda pictures, *place: run(tf.constant(pictures), *map(tf.constant, place))


def _with_jax(opened: keras.Model, nudge: _Nudge) -> Callable[..., tuple[Any, Any, Any]]:
    import jax

    place = next(k for k, each in enumerate(opened.trainable_variables) if each is nudge.added)
    weights = [each.value for each in opened.trainable_variables]
    statistics = [each.value for each in opened.non_trainable_variables]

    @jax.jit
    def run(weights: Any, statistics: Any, pictures: Any, anchor_id: Any, column: Any) -> Any:
        def score(added: Any) -> tuple[Any, Any]:
            nudged = [*weights[:place], added, *weights[place + 1 :]]
            outputs, _ = opened.stateless_call(nudged, statistics, pictures, training=False)
            return outputs["logits"][0, anchor_id, column], outputs["features"]

        (logit, features), gradients = jax.value_and_grad(score, has_aux=True)(weights[place])
        return features, gradients, logit

    return lambda *arguments: run(weights, statistics, *arguments)
