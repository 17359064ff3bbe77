"""Objects of chosen classes made unrecognisable before anything is shown or written; in doubt, more of it."""

from collections.abc import Collection
from dataclasses import replace

import cv2
import numpy as np

from detector.values import Boxes, Detections, Frame, LabelMap, Pixels

FLOOR = 0.15  # score: what is only suspected is blurred too
_MARGIN = 0.1  # of a box's sides, at each edge: boxes are never exact
_GROWTH = 0.2  # likewise, for each second the boxes are old, and for each frame without an answer
_HELD = 0.5  # seconds a place stays blurred after nothing was found there: detectors flicker
_UNKNOWN = 0.5  # seconds without an answer after which all is blurred: nobody knows who has come since
_CELLS = 8  # what remains of an object, across and down


class Blur:
    """One source's frames in the order of time; each comes out with the places blurred that need it.

    names  of the classes. A model that does not know one of them leaves the whole picture blurred, and so
           do the time before the first answer and that from half a second after the last
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = tuple(names)
        self._areas: list[tuple[float, Boxes]] = []  # (seconds of the frame, grown boxes on it)
        self._answered = 0.0  # seconds of the frame that had an answer last
        self._size: tuple[int, int] | None = None

    def apply(self, frame: Frame, found: Detections | None, labels: LabelMap, *, age: float = 0.0) -> Frame:
        """The same frame, fit to be seen.

        found  what is on it, unfiltered, or carried to it from an earlier one; None: nobody knows
        age    seconds since the frame that `found` was computed on
        """
        if self._size != (frame.height, frame.width):  # places of the other size mean nothing here
            self._size, self._areas = (frame.height, frame.width), []
        if found is not None and set(self._names) <= set(labels.names):
            wanted = found.above(FLOOR).of_classes(labels.class_ids(self._names))
            grown = _grown(wanted.boxes, _MARGIN + _GROWTH * max(age, 0.0), frame)
            self._answered = frame.pts
            self._areas = [kept for kept in self._areas if 0 <= frame.pts - kept[0] <= _HELD]
            self._areas.append((frame.pts, grown))
        elif found is not None or not self._areas or not 0 <= frame.pts - self._answered <= _UNKNOWN:
            return replace(frame, pixels=_blurred(frame.pixels, None))
        else:
            self._areas = [(frame.pts, _grown(boxes, _GROWTH, frame)) for _, boxes in self._areas]
        boxes = np.concatenate([boxes for _, boxes in self._areas])
        return replace(frame, pixels=_blurred(frame.pixels, boxes)) if len(boxes) else frame


def _grown(boxes: Boxes, share: float, frame: Frame) -> Boxes:
    """Each side longer by twice this share of it.

    They end one picture outside the frame: it is all covered then, and a box at its edge grows no slower.
    """
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2) * np.float32(share)
    grown = boxes + sides * np.array([-1, -1, 1, 1], np.float32)
    most = np.tile(np.array([frame.width, frame.height], np.float32), 2)
    return np.asarray(np.clip(grown, -most, 2 * most), np.float32)


def _blurred(pixels: Pixels, boxes: Boxes | None) -> Pixels:
    """A copy in which a few smooth patches stand for what is in the boxes; None: for everything."""
    picture = pixels.copy()
    height, width = picture.shape[:2]
    whole = np.array([[0, 0, width, height]], np.float32)
    for x1, y1, x2, y2 in (whole if boxes is None else boxes).tolist():
        left, top = max(0, int(np.floor(x1))), max(0, int(np.floor(y1)))
        right, bottom = min(width, int(np.ceil(x2))), min(height, int(np.ceil(y2)))
        if left >= right or top >= bottom:
            continue
        place = picture[top:bottom, left:right]
        cells = cv2.resize(place, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
        place[:] = cv2.resize(cells, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    return picture
