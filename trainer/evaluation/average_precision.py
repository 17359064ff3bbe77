"""Precision, recall and average precision as PASCAL VOC defines them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.evaluation.matching import IGNORED, RIGHT, ClassMatches, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Precision and recall of a class as the minimum score falls.

    scores      (n,) float32  the minimum score of each point
    right       (n,) float64  detections that are right at this score or above
    found       (n,) float64  all detections that count
    positives   objects there are
    """

    scores: NDArray[np.float32]
    right: Floats
    found: Floats
    positives: float

    @property
    def precision(self) -> Floats:
        return self.right / np.maximum(self.found, np.finfo(float).tiny)

    @property
    def recall(self) -> Floats:
        return self.right / max(self.positives, np.finfo(float).tiny)


def curve(matches: ClassMatches, weights: NDArray[np.int64] | None = None) -> Curve:
    """The curve of a class over all pictures.

    weights  (images,) how often each picture counts (a bootstrap sample); None: once
    """
    counts = matches.verdicts != IGNORED
    times = np.ones(len(counts)) if weights is None else weights[matches.images].astype(np.float64)
    times = times[counts]
    right = np.cumsum(times * (matches.verdicts[counts] == RIGHT))
    positives = matches.positives.sum() if weights is None else matches.positives @ weights
    return Curve(matches.scores[counts], right, np.cumsum(times), float(positives))


def eleven_point_ap(curve: Curve) -> float | None:
    """VOC 2007: mean over recall 0, 0.1 ... 1 of the best precision at that recall or above.

    returns  None where there is no object to find
    source   VOCevaldet.m. "Recall >= 0.3" is decided on whole numbers: as floats, 3 / 10 < 3 * 0.1
    """
    if curve.positives == 0:
        return None
    best = _best_from_here(curve)
    # The first point with right / positives >= k / 10; right only ever rises.
    points = np.searchsorted(10 * curve.right, np.arange(11) * curve.positives, side="left")
    reached = points[points < len(best)]
    return float(best[reached].sum() / 11)


def area_ap(curve: Curve) -> float | None:
    """VOC 2010 and later: the area below the curve, precision made falling.

    returns  None where there is no object to find
    """
    if curve.positives == 0:
        return None
    steps = np.diff(curve.recall, prepend=0.0)
    return float((steps * _best_from_here(curve)).sum())


def mean_ap(values: list[float | None]) -> float:
    """mAP over the classes that have objects; 0 where none has."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else 0.0


def _best_from_here(curve: Curve) -> Floats:
    """The best precision at each point or a later one."""
    return np.maximum.accumulate(curve.precision[::-1])[::-1]
