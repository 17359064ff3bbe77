"""One step of training as a pure function of a state, compiled by whichever backend runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import keras
import numpy as np
from keras import ops

from detector.errors import TrainingError
from trainer.loss import Criterion, Losses, Targets
from trainer.optimiser import Optimiser, clipped

Tensor = Any


class State(NamedTuple):
    """Everything a training knows besides its data.

    weights     of the layers that learn, in the order of the network's `trainable_variables`
    statistics  the network's other variables: running means, frozen layers
    memory      of the optimiser, for each weight
    averages    of weights and statistics over the last steps; empty when none are kept
    step        int32, how many steps were made
    """

    weights: list[Tensor]
    statistics: list[Tensor]
    memory: list[tuple[Tensor, ...]]
    averages: list[Tensor]
    step: Tensor


class Rates(NamedTuple):
    """How far a step goes: the layers that came with weights of their own, and the others."""

    backbone: float
    rest: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepOptions:
    """What a step does.

    backbone     names of the layers that take `Rates.backbone`
    decay        weight decay; never of biases and normalisation
    clip_norm    longest gradient, all weights together; 0: any
    averaging    share of the moving average that each step keeps; 0: no average
    teaching     function (pictures, answers) -> a loss that is added, times `teaching_weight`; None: none
    """

    criterion: Criterion
    optimiser: Optimiser
    backbone: frozenset[str] = frozenset()
    decay: float = 0.0
    clip_norm: float = 0.0
    averaging: float = 0.0
    teaching: Callable[[Tensor, Mapping[str, Tensor]], Tensor] | None = None
    teaching_weight: float = 1.0


Step: TypeAlias = Callable[[State, Tensor, Targets, Tensor], tuple[State, Losses]]


def first_state(network: keras.Model, options: StepOptions) -> State:
    """The state of a network that was not trained yet."""
    weights = [_copy(each) for each in network.trainable_variables]
    statistics = [_copy(each) for each in network.non_trainable_variables]
    return State(
        weights,
        statistics,
        [options.optimiser.memory(each) for each in weights],
        [*map(_copy, weights), *map(_copy, statistics)] if options.averaging else [],
        ops.zeros((), "int32"),
    )


def compile_step(network: keras.Model, options: StepOptions) -> Step:
    """The function (state, pictures, targets, rates) -> (next state, losses).

    pictures  (b, height, width, 3) uint8 in the network's channel order
    rates     (2,) float32, a `Rates`
    """
    variables = network.trainable_variables
    of_backbone = [_layer(each) in options.backbone for each in variables]
    decays = [options.decay if _decays(each) else 0.0 for each in variables]

    def loss(weights: list[Tensor], statistics: list[Tensor], pictures: Tensor, targets: Targets) -> Any:
        pictures = ops.cast(pictures, "float32")
        answers, statistics = network.stateless_call(weights, statistics, pictures, training=True)
        losses = options.criterion(answers, targets)
        if options.teaching is not None:
            taught = options.teaching_weight * options.teaching(pictures, answers)
            losses = losses._replace(total=losses.total + taught)
        return losses.total, (losses, statistics)

    def step(state: State, pictures: Tensor, targets: Targets, rates: Tensor) -> tuple[State, Losses]:
        gradients, (losses, statistics) = _gradients(loss, state.weights, state.statistics, pictures, targets)
        moved = [
            options.optimiser.move(
                weight, gradient, memory, rate=rates[0] if slow else rates[1], decay=decay, step=state.step
            )
            for weight, gradient, memory, slow, decay in zip(
                state.weights, clipped(gradients, options.clip_norm), state.memory, of_backbone, decays
            )
        ]
        weights = [each.weight for each in moved]
        averages = _averaged(state, [*weights, *statistics], options.averaging)
        memory = [each.memory for each in moved]
        return State(weights, list(statistics), memory, averages, state.step + 1), losses

    return _compiled(step)


def put_into(network: keras.Model, state: State, *, averaged: bool) -> None:
    """Gives the network the weights of a state: the averages where there are any and they are asked for."""
    variables = [*network.trainable_variables, *network.non_trainable_variables]
    values = state.averages if averaged and state.averages else [*state.weights, *state.statistics]
    for variable, value in zip(variables, values, strict=True):
        variable.assign(ops.copy(value))  # JAX gives a variable's memory away when the network is asked


def _averaged(state: State, values: Sequence[Tensor], kept: float) -> list[Tensor]:
    """Moving averages; at the start they forget faster, or they would remember random weights."""
    if not state.averages:
        return []
    step = ops.cast(state.step, "float32")
    share = ops.minimum(kept, (1 + step) / (10 + step))
    return [
        old + (1 - share) * (new - old) if _is_float(new) else new for old, new in zip(state.averages, values)
    ]


def _is_float(tensor: Tensor) -> bool:
    return bool(keras.backend.is_float_dtype(keras.backend.standardize_dtype(tensor.dtype)))


def _layer(variable: Any) -> str:
    return str(variable.path).split("/")[0]


def _decays(variable: Any) -> bool:
    """Kernels decay; biases, scales and shifts have one axis."""
    return len(variable.shape) > 1


def _copy(variable: Any) -> Tensor:
    return ops.copy(ops.convert_to_tensor(variable))


def _gradients(loss: Callable[..., Any], weights: list[Tensor], *rest: Any) -> Any:
    """(gradients of the loss by the weights, what the loss gives besides)."""
    if keras.backend.backend() == "jax":
        import jax

        (_, besides), gradients = jax.value_and_grad(loss, has_aux=True)(weights, *rest)
        return gradients, besides
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(weights)
        total, besides = loss(weights, *rest)
    return tape.gradient(total, weights, unconnected_gradients="zero"), besides


def check_backend() -> str:
    """The backend that Keras runs on.

    raises  TrainingError when it cannot train
    """
    backend = str(keras.backend.backend())
    if backend not in ("tensorflow", "jax"):
        raise TrainingError(f"KERAS_BACKEND={backend} cannot train; choose tensorflow or jax.")
    return backend


def _compiled(step: Step) -> Step:
    if check_backend() == "jax":
        import jax

        # The old state's memory becomes the new one's.
        return jax.jit(step, donate_argnums=0)
    import tensorflow as tf

    return tf.function(step, reduce_retracing=True)


def as_tensor(values: Sequence[float] | np.ndarray) -> Tensor:
    """Numbers as the backend has them."""
    return ops.convert_to_tensor(np.asarray(values))
