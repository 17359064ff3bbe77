"""What a step makes of weights and gradients: pure functions in keras.ops, the same on every backend."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from keras import ops

Tensor = Any


class Moved(NamedTuple):
    """A weight after a step, and what the optimiser remembers of it."""

    weight: Tensor
    memory: tuple[Tensor, ...]


class Optimiser(Protocol):
    """One rule, applied to each weight by itself."""

    def memory(self, weight: Tensor) -> tuple[Tensor, ...]:
        """What it remembers of a weight before the first step."""
        ...

    def move(
        self,
        weight: Tensor,
        gradient: Tensor,
        memory: tuple[Tensor, ...],
        *,
        rate: Tensor,
        decay: float,
        step: Tensor,
    ) -> Moved:
        """One step.

        rate   how far to go
        decay  weight decay; 0 for biases and normalisation
        step   int32, counted from 0
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Momentum:
    """Stochastic gradient descent with momentum; decay is part of the gradient. As in Caffe."""

    momentum: float = 0.9

    def memory(self, weight: Tensor) -> tuple[Tensor, ...]:
        return (ops.zeros_like(weight),)

    def move(
        self,
        weight: Tensor,
        gradient: Tensor,
        memory: tuple[Tensor, ...],
        *,
        rate: Tensor,
        decay: float,
        step: Tensor,
    ) -> Moved:
        (speed,) = memory
        speed = self.momentum * speed + rate * (gradient + decay * weight)
        return Moved(weight - speed, (speed,))


@dataclass(frozen=True, slots=True, kw_only=True)
class AdamW:
    """Adam with decay apart from the gradient (Loshchilov and Hutter 2019)."""

    first: float = 0.9
    second: float = 0.999
    epsilon: float = 1e-8

    def memory(self, weight: Tensor) -> tuple[Tensor, ...]:
        return ops.zeros_like(weight), ops.zeros_like(weight)

    def move(
        self,
        weight: Tensor,
        gradient: Tensor,
        memory: tuple[Tensor, ...],
        *,
        rate: Tensor,
        decay: float,
        step: Tensor,
    ) -> Moved:
        mean = self.first * memory[0] + (1 - self.first) * gradient
        square = self.second * memory[1] + (1 - self.second) * gradient * gradient
        count = ops.cast(step + 1, "float32")
        direction = (
            mean / (1 - self.first**count) / (ops.sqrt(square / (1 - self.second**count)) + self.epsilon)
        )
        return Moved(weight - rate * (direction + decay * weight), (mean, square))


OPTIMISERS: dict[str, Optimiser] = {"sgd": Momentum(), "adamw": AdamW()}


def clipped(gradients: Sequence[Tensor], longest: float) -> list[Tensor]:
    """The gradients, together no longer than this (0: as they are)."""
    if not longest:
        return list(gradients)
    length = ops.sqrt(sum(ops.sum(ops.square(each)) for each in gradients))
    share = ops.minimum(1.0, longest / ops.maximum(length, 1e-12))
    return [each * share for each in gradients]
