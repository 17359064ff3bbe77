"""Anchors drawn over a picture, so that one sees what section 2.2 of the SSD paper says."""

import itertools
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from app.sheet import Colour, captioned, fitted
from detector.anchors import AnchorLayout, Anchors, generate
from detector.boxes import iou_matrix, to_xyxy
from detector.matching import REACH, match
from detector.values import Boxes, Ids, Pixels

WIDTH = 420  # pixels of a picture on the sheet

_WINNER: Colour = (0x00, 0x5E, 0xD5)  # vermilion
_SUPPRESSED: Colour = (0xE9, 0xB4, 0x56)  # sky blue
_OBJECT: Colour = (0x73, 0x9E, 0x00)  # green
_LOST: Colour = (0xA7, 0x79, 0xCC)  # purple
_WHITE: Colour = (255, 255, 255)
_BLACK: Colour = (0, 0, 0)
_SHAPES: Sequence[Colour] = (
    (0x00, 0x5E, 0xD5),
    (0xE9, 0xB4, 0x56),
    (0x73, 0x9E, 0x00),
    (0x42, 0xE4, 0xF0),
    (0xA7, 0x79, 0xCC),
    (0x00, 0x9F, 0xE6),
)


def behind(pixels: Pixels, anchors: Anchors, winner: int, suppressed: Ids, caption: str) -> Pixels:
    """The anchor a box comes from, over those whose boxes it suppressed.

    anchors  (A, 4) as `generate` gives them
    """
    picture, boxes = _ground(pixels), to_xyxy(anchors)
    _draw(picture, boxes[suppressed[::-1]], _SUPPRESSED, 1)
    _draw(picture, boxes[[winner]], _WINNER, 3)
    return captioned(picture, caption)


def grids(pixels: Pixels, layout: AnchorLayout, at: tuple[float, float]) -> list[Pixels]:
    """One picture for each feature map: the middles of its cells, and the anchors that stand at one of them.

    at  x, y (0..1): the cell nearest to it shows its anchors
    """
    anchors, drawn, start = generate(layout), [], 0
    for number, (each, count) in enumerate(zip(layout.maps, layout.counts), start=1):
        its = anchors[start : start + count]
        start += count
        picture = _ground(pixels)
        middle = its[np.square(its[:, :2] - at).sum(axis=1).argmin(), :2]
        for cx, cy in np.unique(its[:, :2], axis=0):
            place = round(cx * picture.shape[1]), round(cy * picture.shape[0])
            cv2.circle(picture, place, 1, _WHITE, cv2.FILLED, cv2.LINE_AA)
        here = its[(its[:, :2] == middle).all(axis=1)]
        for box, colour in zip(to_xyxy(here), itertools.cycle(_SHAPES)):
            _draw(picture, box[None], colour, 2)
        middles = f"{each.height}x{each.width} cells with {len(each.shapes)} shapes each: {count} anchors"
        drawn.append(captioned(picture, f"Map {number}: {middles}"))
    return drawn


def matched(pixels: Pixels, anchors: Anchors, boxes: Boxes, names: Sequence[str]) -> list[Pixels]:
    """Each object of a labelled picture with the anchors that learn it; those that none reaches stand out.

    boxes  (n, 4) of the objects, normalized
    names  of each
    """
    overlaps = iou_matrix(boxes, to_xyxy(anchors))
    object_ids = match(boxes, anchors).object_ids
    drawn = []
    for index, name in enumerate(names):
        its, best = np.flatnonzero(object_ids == index), float(overlaps[index].max(initial=0))
        reached = best >= REACH
        picture = _ground(pixels)
        _draw(picture, to_xyxy(anchors[its]), _SUPPRESSED, 1)
        _draw(picture, boxes[[index]], _OBJECT if reached else _LOST, 3)
        words = f"{len(its)} anchors learn it, the best overlaps it by {best:.2f}"
        if not reached:
            words = f"no anchor reaches it: the best overlaps it by {best:.2f}, and alone learns it"
        drawn.append(captioned(picture, f"{name}: {words}"))
    return drawn


def _ground(pixels: Pixels) -> Pixels:
    """The picture, darker: the lines matter."""
    return np.asarray(fitted(pixels, WIDTH) * np.float32(0.6), np.uint8)


def _draw(picture: Pixels, boxes: NDArray[np.float32], colour: Colour, line: int) -> None:
    """Lines; those that matter have a dark rim, so that they show on any picture."""
    height, width = picture.shape[:2]
    for x1, y1, x2, y2 in _pixels(boxes, height, width):
        if line > 1:
            cv2.rectangle(picture, (x1, y1), (x2, y2), _BLACK, line + 2)
        cv2.rectangle(picture, (x1, y1), (x2, y2), colour, line)


def _pixels(boxes: NDArray[np.float32], height: int, width: int) -> Iterable[tuple[int, int, int, int]]:
    size = np.array([width, height] * 2)
    return [(x1, y1, x2, y2) for x1, y1, x2, y2 in np.rint(boxes * size).astype(int).tolist()]
