"""Pictures with boxes for people who look at data: what is labelled, what was found, what was missed.

Not `app.overlay`: that shows detections in the colour of their class; here a colour says what a box is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from imutils import build_montages

from detector.values import Pixels

Colour = tuple[int, int, int]  # blue, green, red

_LETTERS = 13  # pixels
_WEIGHT = 500
_LINE = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """One box on a picture.

    box     x1, y1, x2, y2 in pixels of the picture
    text    written at its upper left; may be empty
    dashed  of no account: difficult, a crowd
    """

    box: Sequence[float]
    text: str
    colour: Colour
    dashed: bool = False


def draw_marks(pixels: Pixels, marks: Iterable[Mark], *, side: int) -> Pixels:
    """A copy whose longer side has `side` pixels, with the marks; the last ones lie on top."""
    scale = side / max(pixels.shape[:2])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    picture: Any = cv2.resize(pixels, size, interpolation=interpolation)
    font = cv2.FontFace("sans")
    for mark in marks:
        x1, y1, x2, y2 = (round(float(edge) * scale) for edge in mark.box)
        for start, end in _strokes((x1, y1, x2 - 1, y2 - 1), dashed=mark.dashed):
            cv2.line(picture, start, end, mark.colour, _LINE)
        if mark.text:
            _write(picture, mark.text, (x1, y1), mark.colour, font)
    return np.asarray(picture, np.uint8)


def sheet(pictures: Sequence[Pixels], *, columns: int, side: int) -> Pixels:
    """Pictures side by side on one, each in a square of its own.

    pictures  no side longer than `side`
    """
    tiles = []
    for picture in pictures:
        tile = np.zeros((side, side, 3), np.uint8)
        height, width = picture.shape[:2]
        top, left = (side - height) // 2, (side - width) // 2
        tile[top : top + height, left : left + width] = picture
        tiles.append(tile)
    rows = -(-len(tiles) // columns)
    return np.asarray(build_montages(tiles, (side, side), (min(columns, len(tiles)), rows))[0])


def _strokes(
    box: tuple[int, int, int, int], *, dashed: bool
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    x1, y1, x2, y2 = box
    if not dashed:
        return [((x1, y1), (x2, y1)), ((x2, y1), (x2, y2)), ((x2, y2), (x1, y2)), ((x1, y2), (x1, y1))]
    across = [((x, y), (min(x + 4, x2), y)) for y in (y1, y2) for x in range(x1, x2, 8)]
    return across + [((x, y), (x, min(y + 4, y2))) for x in (x1, x2) for y in range(y1, y2, 8)]


def _write(picture: Any, text: str, at: tuple[int, int], colour: Colour, font: Any) -> None:
    """Above the corner where there is room, on a ground of the mark's colour."""
    _, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), font, _LETTERS, _WEIGHT)
    height = _LETTERS + 4
    x = max(0, min(at[0], picture.shape[1] - width - 4))
    y = at[1] - height if at[1] >= height else max(0, min(at[1], picture.shape[0] - height))
    cv2.rectangle(picture, (x, y), (x + width + 4, y + height), colour, cv2.FILLED)
    light = 0.114 * colour[0] + 0.587 * colour[1] + 0.299 * colour[2]
    ink = (0, 0, 0) if light > 110 else (255, 255, 255)
    cv2.putText(picture, text, (x + 2, y + _LETTERS), ink, font, _LETTERS, _WEIGHT)
