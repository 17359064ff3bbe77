"""Timing several ways to do the same, so that their ratios are fair.

Computers are noisy and slow down when warm, so the ways take turns of a fraction of a second, many times
over: what disturbs one disturbs its neighbours as well, and ratios hold where milliseconds do not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeAlias

import numpy as np

_TURN = 0.12  # seconds; at least two calls

Stages: TypeAlias = Mapping[str, float]  # "resize", "network", "selection", "whole" -> milliseconds


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run a network.

    model    the network
    runs_on  the library, the device and the precision, in words
    call     runs it once and says how long its stages took; "network" is always one
    batch    pictures of a call
    """

    model: str
    runs_on: str
    call: Callable[[], Stages]
    batch: int = 1


@dataclass(frozen=True, slots=True)
class Figure:
    """Milliseconds: the middle of all calls, and what 95 of 100 stay below."""

    median: float
    p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was measured of one way."""

    way: Way
    stages: Mapping[str, Figure]
    calls: int

    @property
    def total(self) -> Figure:
        """Of the whole call; of the network where that is all."""
        return self.stages.get("whole") or self.stages["network"]

    @property
    def pictures_per_second(self) -> float:
        return self.way.batch * 1000 / self.total.median

    def ratio_to(self, other: "Row") -> float:
        """This way's whole call in parts of the other's network."""
        return self.total.median / other.stages["network"].median

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.way.model,
            "runs_on": self.way.runs_on,
            "batch": self.way.batch,
            "calls": self.calls,
            "pictures_per_second": round(self.pictures_per_second, 1),
            "stages": {
                name: {"median_ms": round(each.median, 3), "p95_ms": round(each.p95, 3)}
                for name, each in self.stages.items()
            },
        }


def measure(
    ways: Sequence[Way], *, rounds: int, on_round: Callable[[int, int], None] = lambda done, total: None
) -> list[Row]:
    """A row for each way.

    rounds    turns of each way
    on_round  is told how many rounds are done, and of how many
    """
    taken: list[list[Stages]] = [[] for _ in ways]
    for done in range(1, rounds + 1):
        for way, calls in zip(ways, taken):
            way.call()  # finds the caches full of the other ways' numbers, and does not count
            until = perf_counter() + _TURN
            calls.append(way.call())
            while perf_counter() < until:
                calls.append(way.call())
        on_round(done, rounds)
    return [Row(way=way, stages=_figures(calls), calls=len(calls)) for way, calls in zip(ways, taken)]


def _figures(calls: Sequence[Stages]) -> dict[str, Figure]:
    return {
        stage: Figure(*(float(each) for each in np.percentile([call[stage] for call in calls], (50, 95))))
        for stage in calls[0]
    }
