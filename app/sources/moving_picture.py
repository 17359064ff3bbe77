"""A photograph on a table, a camera seeming to wander over it: something to watch where there is no film."""

import math
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from app.sources.source import Source, State, Status
from detector.errors import SourceError
from detector.pictures import read_picture
from detector.values import Frame, Pixels

DEMO = "demo://"  # the address of `demonstration`

_HEIGHT, _WIDTH = 480, 640
_TABLE = (58, 52, 46)  # blue, green, red
_RATE = 25.0  # frames/s
_SECONDS = 24.0  # one round
_NEAREST, _FARTHEST = 0.95, 2.0  # how many widths of the photograph fill the frame's


def demonstration() -> "MovingPicture":
    """The photograph of Grace Hopper that Matplotlib brings to every installation.

    raises  SourceError when this one lacks it
    """
    found = find_spec("matplotlib")  # not imported: it takes half a second, and only the file is wanted
    places = (found and found.submodule_search_locations) or []
    path = Path(*places[:1], "mpl-data", "sample_data", "grace_hopper.jpg")
    if not path.exists():
        raise SourceError(
            "The demo's photograph is missing: install matplotlib again, or give a file of yours to watch."
        )
    return MovingPicture(path)


class MovingPicture(Source):
    """One round over a photograph, panned, zoomed and rocked; ends where it began."""

    seekable = True

    def __init__(self, path: Path) -> None:
        super().__init__(path.stem.replace("_", " ").title())
        self._path = path
        self._next = 0
        self.rate, self.duration = _RATE, _SECONDS

    def seek(self, seconds: float, *, before: bool = False) -> None:
        index = math.ceil(seconds * _RATE - 1e-6)
        self._next = min(max(0, index - 1 if before else index), round(_SECONDS * _RATE) - 1)

    def _items(self) -> Iterator[Frame | Status]:
        yield self._status(State.CONNECTING, f"Opening {self.name}")
        photograph = read_picture(self._path)
        yield self._status(State.LIVE, f"Playing {self.name}")
        while self._next < round(_SECONDS * _RATE) and not self._stopped.is_set():
            seconds = self._next / _RATE
            self._next += 1
            yield self._frame(_seen(photograph, seconds / _SECONDS), seconds)
        self._next = 0
        yield self._status(State.ENDED, f"End of {self.name}")


def _seen(photograph: Pixels, progress: float) -> Pixels:
    """What is in the frame at this share of the round, (_HEIGHT, _WIDTH, 3) uint8.

    Sines of whole turns, so that the last frame leads to the first.
    """
    turn = 2 * math.pi * progress
    height, width = photograph.shape[:2]
    nearness = (1 - math.cos(turn)) / 2
    scale = _WIDTH / width / (_FARTHEST + (_NEAREST - _FARTHEST) * nearness)
    angle = 4 * math.sin(2 * turn)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    away_x, away_y = 0.16 * math.sin(turn), 0.10 * math.sin(2 * turn)
    matrix[:, 2] += np.array([_WIDTH * (0.5 + away_x) - width / 2, _HEIGHT * (0.5 + away_y) - height / 2])
    picture = cv2.warpAffine(photograph, matrix, (_WIDTH, _HEIGHT), borderValue=_TABLE)
    return np.asarray(picture, np.uint8)
