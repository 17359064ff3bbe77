"""Two models on the same pictures: what of the difference would also show on other pictures of the kind.

The pictures are drawn again, with replacement, many times; the same draw for both models. A difference counts
when its 95 % interval leaves out 0; otherwise it is noise, as far as these pictures can tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import DatasetError
from detector.values import Detections, LabelMap
from trainer.datasets import Example
from trainer.evaluation.average_precision import area_ap, curve, eleven_point_ap
from trainer.evaluation.matching import RIGHT, ClassMatches, Floats, match


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure of two models; the interval holds 95 % of the draws of the second minus the first."""

    name: str
    first: float
    second: float
    low: float
    high: float

    @property
    def is_noise(self) -> bool:
        return self.low <= 0 <= self.high

    def to_json(self) -> dict[str, Any]:
        return {
            "first": self.first,
            "second": self.second,
            "difference": self.second - self.first,
            "interval": [self.low, self.high],
            "noise": self.is_noise,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """voc07_map and voc_area_map; the area AP of every class that has objects."""

    maps: tuple[Difference, ...]
    classes: tuple[Difference, ...]
    draws: int

    def to_json(self) -> dict[str, Any]:
        return {
            "draws": self.draws,
            **{each.name: each.to_json() for each in self.maps},
            "per_class": {each.name: each.to_json() for each in self.classes},
        }


def compare(
    examples: Sequence[Example],
    first: Sequence[Detections],
    second: Sequence[Detections],
    labels: LabelMap,
    *,
    draws: int = 1000,
    seed: int = 0,
) -> Comparison:
    """The second model against the first.

    first, second  one Detections for each example, class ids of `labels`
    draws          bootstrap samples: 1000 give the ends of the interval within a tenth of its width
    raises         DatasetError when there is nothing to be found on any picture
    """
    both = [match(examples, each, len(labels)) for each in (first, second)]
    present = [k for k in range(len(labels)) if both[0][k].positives.any()]
    if not present:
        raise DatasetError(
            "None of the pictures holds an object that counts, so two models cannot be compared on them; "
            "choose another list or other classes."
        )
    count = len(examples)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws)
    weights = np.concatenate([np.ones((1, count), np.int64), drawn])
    one, other = (np.stack([_aps(matches[k], weights) for k in present]) for matches in both)
    names = ("voc07_map", "voc_area_map")
    means = [np.nanmean(table, axis=0) for table in (one, other)]
    return Comparison(
        maps=tuple(_difference(name, means[0][:, k], means[1][:, k]) for k, name in enumerate(names)),
        classes=tuple(
            _difference(labels[k], one[row, :, 1], other[row, :, 1]) for row, k in enumerate(present)
        ),
        draws=draws,
    )


def _aps(matches: ClassMatches, weights: NDArray[np.int64]) -> Floats:
    """Eleven-point and area AP (draws, 2) of one class by row of weights; NaN: nothing is to be found."""
    right = np.flatnonzero(matches.verdicts == RIGHT)
    # What follows the last right one changes nothing, and is most of it.
    useful = matches.best(int(right[-1]) + 1 if len(right) else 0)
    lines = (curve(useful, row) for row in weights)
    rows = [(eleven_point_ap(line), area_ap(line)) for line in lines]
    return np.array([[np.nan if value is None else value for value in row] for row in rows])


def _difference(name: str, first: Floats, second: Floats) -> Difference:
    """From the figure of all pictures (first row) and of the draws (the others)."""
    low, high = np.nanpercentile((second - first)[1:], (2.5, 97.5))
    return Difference(
        name=name, first=float(first[0]), second=float(second[0]), low=float(low), high=float(high)
    )
