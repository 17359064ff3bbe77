"""The values that travel through the program: a frame, what was found on it, and the names of the classes."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.errors import OptionError

Pixels: TypeAlias = NDArray[np.uint8]
Boxes: TypeAlias = NDArray[np.float32]
Scores: TypeAlias = NDArray[np.float32]
Ids: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a source.

    pixels       (height, width, 3) uint8, BGR, never changed in place
    sequence     counts the frames of its source from 0
    pts          presentation time, seconds of the source's own clock
    captured_at  monotonic seconds when it arrived here
    source       name of the source, fit to be shown (no password in it)
    """

    pixels: Pixels
    sequence: int = 0
    pts: float = 0.0
    captured_at: float = 0.0
    source: str = ""

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != np.uint8:
            shape = f"{self.pixels.shape} {self.pixels.dtype}"
            raise ValueError(f"a frame is (height, width, 3) uint8, not {shape}")
        self.pixels.flags.writeable = False

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What one frame holds, highest score first.

    boxes       (n, 4) float32  x1, y1, x2, y2, pixels of the frame
    scores      (n,)   float32  0..1, falling
    class_ids   (n,)   int32    index into the model's LabelMap
    track_ids   (n,)   int32    the same number for the same object over time, -1 while unconfirmed; or None
    anchor_ids  (n,)   int32    the anchor that gave the box; or None
    """

    boxes: Boxes
    scores: Scores
    class_ids: Ids
    track_ids: Ids | None = None
    anchor_ids: Ids | None = None

    def __post_init__(self) -> None:
        n = len(self.scores)
        _check("boxes", self.boxes, (n, 4), np.float32)
        _check("scores", self.scores, (n,), np.float32)
        _check("class_ids", self.class_ids, (n,), np.int32)
        for name in ("track_ids", "anchor_ids"):
            if (ids := getattr(self, name)) is not None:
                _check(name, ids, (n,), np.int32)
        if n > 1 and not bool(np.all(self.scores[:-1] >= self.scores[1:])):
            raise ValueError("scores must fall")

    @staticmethod
    def empty() -> "Detections":
        return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32))

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("Detections is one value; zip its arrays instead")

    def __getitem__(self, chosen: slice | NDArray[Any]) -> "Detections":
        """Some of them, in the same order: a slice, a mask, or rising indices."""
        return Detections(
            self.boxes[chosen],
            self.scores[chosen],
            self.class_ids[chosen],
            None if self.track_ids is None else self.track_ids[chosen],
            None if self.anchor_ids is None else self.anchor_ids[chosen],
        )

    def above(self, min_score: float) -> "Detections":
        """Those with at least this score. Exact after NMS: only a higher score ever suppresses a box."""
        return self[: int(np.searchsorted(-self.scores, -np.float32(min_score), "right"))]

    def of_classes(self, class_ids: Iterable[int]) -> "Detections":
        """Those of the classes named."""
        return self[np.isin(self.class_ids, list(class_ids))]

    def with_boxes(self, boxes: Boxes) -> "Detections":
        """The same detections at other places."""
        return replace(self, boxes=boxes)

    def with_tracks(self, track_ids: Ids) -> "Detections":
        """The same detections, known again."""
        return replace(self, track_ids=track_ids)

    def to_supervision(self) -> Any:
        """As supervision's zones, annotators and trackers take them: a `supervision.Detections`."""
        import supervision  # here: it takes half a second

        return supervision.Detections(
            xyxy=self.boxes.copy(),  # theirs may be written to
            confidence=self.scores.copy(),
            class_id=self.class_ids.astype(int),
            tracker_id=None if self.track_ids is None else self.track_ids.astype(int),
        )


def _check(name: str, array: NDArray[Any], shape: tuple[int, ...], dtype: type) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"{name} must be {shape} {np.dtype(dtype)}, not {array.shape} {array.dtype}")
    array.flags.writeable = False


@dataclass(frozen=True, slots=True)
class LabelMap:
    """Names by class id; background is nobody's business outside `detector`."""

    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, class_id: int) -> str:
        return self.names[class_id]

    def class_id(self, name: str) -> int:
        """The id of a name.

        raises  OptionError that names the nearest right one
        """
        try:
            return self.names.index(name)
        except ValueError:
            near = difflib.get_close_matches(name, self.names, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"it knows {', '.join(self.names[:12])} …"
            raise OptionError(f"The model has no class '{name}'; {hint}") from None

    def class_ids(self, names: Sequence[str]) -> tuple[int, ...]:
        """The ids of several names."""
        return tuple(self.class_id(name) for name in names)
