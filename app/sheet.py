"""Pictures beside each other with a line of text under each: what `explain` writes."""

import functools
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from detector.values import Pixels

Colour = tuple[int, int, int]  # blue, green, red

_LETTERS = 15  # pixels
_MARGIN = 10
_INK: Colour = (30, 30, 30)


def fitted(pixels: Pixels, width: int) -> Pixels:
    """The picture at this width, its shape kept."""
    height = max(1, round(pixels.shape[0] * width / pixels.shape[1]))
    way = cv2.INTER_AREA if width < pixels.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=way), np.uint8)


def captioned(pixels: Pixels, caption: str) -> Pixels:
    """The picture with its text below, as many lines as that takes."""
    lines = _lines(caption, pixels.shape[1])
    strip = np.full((len(lines) * round(1.4 * _LETTERS) + _MARGIN, pixels.shape[1], 3), 255, np.uint8)
    for number, line in enumerate(lines, start=1):
        cv2.putText(strip, line, (0, round(1.4 * _LETTERS * number)), _INK, _font(), _LETTERS, 450)
    return np.vstack([pixels, strip])


def sheet(pictures: Sequence[Pixels], *, columns: int) -> Pixels:
    """Pictures of one width on white, row by row."""
    rows = [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
    width = pictures[0].shape[1]
    high = sum(max(len(each) for each in row) + _MARGIN for row in rows) + _MARGIN
    paper = np.full((high, min(columns, len(pictures)) * (width + _MARGIN) + _MARGIN, 3), 255, np.uint8)
    top = _MARGIN
    for row in rows:
        for number, each in enumerate(row):
            left = _MARGIN + number * (width + _MARGIN)
            paper[top : top + len(each), left : left + width] = each
        top += max(len(each) for each in row) + _MARGIN
    return paper


@functools.cache
def _font() -> Any:
    return cv2.FontFace("sans")


def _lines(text: str, width: int) -> list[str]:
    """Broken between words where a line would be too long."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and cv2.getTextSize((0, 0), longer, (0, 0), _font(), _LETTERS, 450)[2] > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
