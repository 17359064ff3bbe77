"""Boxes of the newest detection, carried to every frame since: a slow detector's boxes stay on what moves.

A detection belongs to a frame that is old when its answer comes. So motion is remembered from frame to frame,
and the boxes are led through all of it, from the frame they were found on to the newest.
"""

import itertools
import threading
from collections import deque
from dataclasses import dataclass

import numpy as np

from app.tracking.identities import Identities
from app.tracking.motion import Field, FieldFinder, Gray, moved, small_gray
from detector.values import Boxes, Detections, Frame

_REMEMBERED = 100  # frames; a detection that took longer is not carried. 4 MB
_LEAST_SEEN = 0.3  # of a box within the frame; with less it has left


@dataclass(slots=True)
class _Step:
    """A frame as it is remembered.

    field  from the frame before; made when boxes are to be led through it
    boxes  found boxes and then tracks, as they are on this frame; None before they were found
    """

    number: int
    gray: Gray
    field: Field | None = None
    boxes: Boxes | None = None


class Carrying:
    """The boxes of one source. Frames come from one thread, detections from another, questions from any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards what follows
        self._identities = Identities()
        self._finder = FieldFinder()
        self._steps: deque[_Step] = deque(maxlen=_REMEMBERED)
        self._size = (0, 0)  # height, width of the frames
        self._found: Detections | None = None
        self._found_on: _Step | None = None

    def saw(self, frame: Frame, number: int, *, follows: bool) -> None:
        """A frame has come; 1 ms.

        number   rises by one with each frame
        follows  in time and size on the one before; else nothing is carried to it
        """
        gray = small_gray(frame.pixels)
        with self._lock:
            if not follows:
                self._forget()
            self._size = frame.height, frame.width
            self._steps.append(_Step(number, gray))
            self._lead_from(len(self._steps) - 2)

    def found(self, detections: Detections, number: int, seconds: float, *, min_score: float) -> Detections:
        """What was found on the frame of that number: a later one than before, or the same looked at anew.

        seconds    of the source's clock
        min_score  from which on the person wants to see boxes
        returns    the same, with track ids as far as they are known
        """
        with self._lock:
            index = self._index_of(number)
            if index is None:  # from before a cut, or long ago
                self._found = None
                return detections
            step, before = self._steps[index], self._found
            if step is self._found_on and before is not None:
                detections = _known_again(detections, before)
            else:
                tracks = self._identities.boxes()
                if step.boxes is not None and before is not None:
                    tracks = step.boxes[len(before) :]
                ids = self._identities.known(detections, seconds, moved_to=tracks, min_score=min_score)
                detections = detections if ids is None else detections.with_tracks(ids)
            for _ in range(index):
                self._steps.popleft()
            self._found, self._found_on = detections, step
            step.boxes = np.concatenate([detections.boxes, self._identities.boxes()])
            self._lead_from(0)
            return detections

    def at(self, number: int) -> Detections | None:
        """The newest boxes, carried to the frame of that number; None when there is no way to it."""
        with self._lock:
            index = self._index_of(number)
            if index is None or self._found is None or (boxes := self._steps[index].boxes) is None:
                return None
            height, width = self._size
            return _within(self._found.with_boxes(boxes[: len(self._found)]), height, width)

    def forget(self) -> None:
        """Another model: its boxes have nothing to do with those of the one before."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._steps.clear()
        self._found = self._found_on = None
        self._identities.reset()

    def _index_of(self, number: int) -> int | None:
        index = number - self._steps[0].number if self._steps else -1
        return index if 0 <= index < len(self._steps) else None

    def _lead_from(self, index: int) -> None:
        """Leads the boxes at this step through all that follow."""
        for before, after in itertools.pairwise(list(self._steps)[max(index, 0) :]):
            if before.boxes is None:
                return
            if len(before.boxes) and after.field is None:
                after.field = self._finder.field(before.gray, after.gray)
            field, boxes = after.field, before.boxes
            after.boxes = boxes if field is None else moved(boxes, field, self._size)


def _known_again(detections: Detections, before: Detections) -> Detections:
    """Another selection of boxes of one frame, with the ids they had."""
    if before.track_ids is None:
        return detections
    ids = {
        (box.tobytes(), class_id): track_id
        for box, class_id, track_id in zip(before.boxes, before.class_ids, before.track_ids)
    }
    keys = ((box.tobytes(), class_id) for box, class_id in zip(detections.boxes, detections.class_ids))
    return detections.with_tracks(np.array([ids.get(key, -1) for key in keys], np.int32))


def _within(detections: Detections, height: int, width: int) -> Detections:
    """Cut at the frame's edges, as the detector does; without those that have left."""
    edges = np.array([width, height, width, height], np.float32)
    cut = np.clip(detections.boxes, 0, edges)
    seen = np.prod(cut[:, 2:] - cut[:, :2], axis=1)
    whole = np.prod(detections.boxes[:, 2:] - detections.boxes[:, :2], axis=1)
    return detections.with_boxes(cut)[seen >= _LEAST_SEEN * whole]
