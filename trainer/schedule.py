"""How large a step is at each point of a training."""

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi
from typing import Literal, TypeAlias

Shape: TypeAlias = Literal["cosine", "multistep", "constant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The share of the full rate: rising over the first steps, then falling as the training goes on.

    warm_up_steps  over which it rises evenly from 0
    shape          "cosine" falls to `last` along half a wave; "multistep" by `drop` at each of `drops`
    drops          points of the training, 0..1
    """

    warm_up_steps: int = 100
    shape: Shape = "cosine"
    last: float = 0.01
    drops: tuple[float, ...] = (2 / 3, 5 / 6)  # 80,000 and 100,000 of 120,000 steps: SSD paper
    drop: float = 0.1

    def share(self, step: int, progress: float) -> float:
        """What the rate is multiplied by.

        step      counted from 0
        progress  0..1, how much of the training is over
        """
        rise = min(1.0, (step + 1) / (self.warm_up_steps + 1))
        return rise * _SHAPES[self.shape](self, min(max(progress, 0.0), 1.0))


def _cosine(schedule: Schedule, progress: float) -> float:
    return schedule.last + (1 - schedule.last) * (1 + cos(pi * progress)) / 2


def _multistep(schedule: Schedule, progress: float) -> float:
    return float(schedule.drop ** sum(progress >= point for point in schedule.drops))


def _constant(schedule: Schedule, progress: float) -> float:
    return 1.0


_SHAPES: dict[Shape, Callable[[Schedule, float], float]] = {
    "cosine": _cosine,
    "multistep": _multistep,
    "constant": _constant,
}
