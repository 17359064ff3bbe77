"""Precision over recall of one class, drawn as SVG.

Colours stand in the elements, so that every viewer shows them; the page's style may change them (dark pages).
"""

from dataclasses import dataclass
from html import escape

import numpy as np

from trainer.evaluation.average_precision import Curve

_SIDE = 100  # of the plot, in the units of the drawing
_POINTS = 200  # more cannot be seen
_TEXT = 'font-family="sans-serif" fill="#1b1b1b"'
_AXIS = 'class="axis" fill="none" stroke="#d8d8d8"'
_AREA = 'class="area" fill="#0072b2" fill-opacity="0.15"'
_CURVE = 'class="curve" fill="none" stroke="#0072b2" stroke-width="1.5"'
_HERE = 'class="here" fill="#d55e00" r="2.5"'


@dataclass(frozen=True, slots=True)
class ClassCurve:
    """One plot.

    title      class and AP
    min_score  marked on the curve
    """

    title: str
    curve: Curve
    min_score: float


def precision_recall(plot: ClassCurve) -> str:
    """An <svg> element."""
    recall, precision = plot.curve.recall, plot.curve.precision
    points = [_place(recall[k], precision[k]) for k in _corners(plot.curve)]
    shown = int((plot.curve.scores >= np.float32(plot.min_score)).sum())
    parts = [
        f'<text {_TEXT} font-size="9" y="-5">{escape(plot.title)}</text>',
        f'<path {_AXIS} d="M0 0H{_SIDE}V{_SIDE}H0ZM0 {_SIDE / 2}H{_SIDE}M{_SIDE / 2} 0V{_SIDE}"/>',
        f'<text {_TEXT} font-size="7" y="109">recall 0</text>',
        f'<text {_TEXT} font-size="7" x="{_SIDE}" y="109" text-anchor="end">1</text>',
        f'<text {_TEXT} font-size="7" x="-2" y="5" text-anchor="end">1</text>',
    ]
    if points:
        line = " ".join(points)
        edges = [f"{_SIDE * recall[k]:.1f},{_SIDE}" for k in (0, -1)]
        parts.append(f'<polygon {_AREA} points="{edges[0]} {line} {edges[1]}"/>')
        parts.append(f'<polyline {_CURVE} points="{line}"/>')
    if shown:
        x, y = _place(recall[shown - 1], precision[shown - 1]).split(",")
        parts.append(f'<circle {_HERE} cx="{x}" cy="{y}"/>')
    return f'<svg viewBox="-8 -16 116 130" width="220" role="img">{"".join(parts)}</svg>'


def _corners(curve: Curve) -> list[int]:
    """Points of the curve that can be seen: where recall rises, and just before."""
    rises = np.flatnonzero(np.diff(curve.right, prepend=0.0))
    if len(rises) > _POINTS:
        rises = rises[np.linspace(0, len(rises) - 1, _POINTS).round().astype(int)]
    last = [len(curve.right) - 1] if len(curve.right) else []
    return sorted({*rises.tolist(), *(rises[rises > 0] - 1).tolist(), *last})


def _place(recall: float, precision: float) -> str:
    return f"{_SIDE * recall:.1f},{_SIDE * (1 - precision):.1f}"
