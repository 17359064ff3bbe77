"""A recording's boxes read back: what was on a frame, when something appears, an engine that knows it all."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.recording.sidecar import Finder, sidecar_path
from detector.engines import FLOOR, Timing
from detector.errors import RecordingError
from detector.values import Detections, Frame, LabelMap

_ROUNDED = 0.0015  # seconds by which containers round a time
_MOST = 1e9  # pixels or seconds; nothing that was recorded is as large, and no number here is endless
_STAYS = 0.5  # seconds a line is valid, where the next ones are missing


@dataclass(frozen=True, slots=True)
class _Line:
    """One frame.

    rows   x1, y1, x2, y2, score, class id, track id or -1 of each box, highest score first
    names  of the classes, as they appear
    """

    seconds: float
    rows: list[tuple[float, ...]]
    names: dict[int, str]


class Sidecar:
    """Everything in a file of lines.

    path     CLIP.jsonl, or what `detect --json` wrote of one video
    finder   who found the boxes; the last one, where the model changed
    raises   RecordingError when it cannot be read or is something else; a last line cut short is left out
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.finder = Finder(labels=LabelMap(()))
        times: list[float] = []
        ends: list[int] = [0]
        rows: list[tuple[float, ...]] = []
        names: dict[int, str] = {}
        for line in _lines(path):
            if isinstance(line, Finder):
                self.finder = line
                continue
            times.append(line.seconds)
            rows += line.rows
            names = line.names | names
            ends.append(len(rows))
        if not self.finder.labels.names and names:
            listed = (names.get(class_id, f"class {class_id}") for class_id in range(max(names) + 1))
            self.finder = Finder(labels=LabelMap(tuple(listed)))
        if any(row[5] >= len(self.finder.labels) for row in rows):
            raise RecordingError(f"{path} names classes that its first line does not list; it is damaged.")
        table = np.array(rows, np.float64).reshape(-1, 7)
        self._times: NDArray[np.float64] = np.array(times, np.float64)
        self._ends = ends
        self._boxes, self._scores = table[:, :4].astype(np.float32), table[:, 4].astype(np.float32)
        self._class_ids, self._track_ids = table[:, 5].astype(np.int32), table[:, 6].astype(np.int32)
        self._tracked = bool((self._track_ids >= 0).any())

    def __len__(self) -> int:
        return len(self._times)

    def at(self, seconds: float) -> Detections:
        """What was found on the frame shown at this time; nothing where no line tells."""
        found = self.found_at(seconds)
        return Detections.empty() if found is None else found

    def found_at(self, seconds: float) -> Detections | None:
        """Likewise; None where no line tells."""
        index = int(np.searchsorted(self._times, seconds + _ROUNDED, "right")) - 1
        if index < 0 or seconds - self._times[index] > _STAYS:
            return None
        return self._on(index)

    def appearances(
        self, *, min_score: float, class_ids: Collection[int] | None = None
    ) -> NDArray[np.float64]:
        """When something comes into view that was not there before: a new track, or the first after none.

        class_ids  what counts; None: all
        returns    (n,) seconds of the recording, rising
        """
        kept = self._scores >= np.float32(min_score)
        if class_ids is not None:
            kept &= np.isin(self._class_ids, list(class_ids))
        lines = np.repeat(np.arange(len(self._times)), np.diff(self._ends))
        tracked = kept & (self._track_ids >= 0)
        _, first = np.unique(self._track_ids[tracked], return_index=True)
        seen = np.bincount(lines[kept], minlength=len(self._times)) > 0
        anonymous = np.bincount(lines[kept & ~tracked], minlength=len(self._times)) > 0
        after_none = anonymous & ~np.concatenate([[False], seen[:-1]])
        return self._times[np.union1d(lines[tracked][first], np.flatnonzero(after_none))]

    def _on(self, index: int) -> Detections:
        rows = slice(self._ends[index], self._ends[index + 1])
        return Detections(
            self._boxes[rows],
            self._scores[rows],
            self._class_ids[rows],
            self._track_ids[rows] if self._tracked else None,
        )


class RecordedEngine:
    """An engine that answers with what was found when the recording was made; its clock is the frames'."""

    def __init__(self, sidecar: Sidecar) -> None:
        self._sidecar = sidecar
        self.device = f"boxes recorded with {sidecar.finder.name or 'another program'}"
        self.timing = Timing()

    def detect(
        self,
        frames: Sequence[Frame],
        *,
        nms_iou: float | None = None,
        max_detections: int | None = None,
        floor: float = FLOOR,
    ) -> list[Detections]:
        """See `detector.engines.Engine`; the overlap is the one of the recording."""
        return [self._sidecar.at(frame.pts).above(floor)[:max_detections] for frame in frames]

    def close(self) -> None:
        pass


def read_finder(path: Path) -> Finder:
    """Who found the boxes, from the first line only; for what `detect --json` wrote, nobody knows.

    raises  RecordingError
    """
    line = next(_lines(path), None)
    return line if isinstance(line, Finder) else Finder(labels=LabelMap(()))


def find_sidecar(clip: Path) -> Path | None:
    """The boxes of a recording, where they lie beside it."""
    path = sidecar_path(clip)
    return path if path.is_file() and path != clip else None


def _lines(path: Path) -> Iterator[Finder | _Line]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, 1):
                try:
                    line = _understood(json.loads(text))
                except (ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError):
                    if not text.endswith("\n"):  # the program ended while it was written
                        return
                    raise RecordingError(
                        f"{path}, line {number}: is no line of boxes, or damaged; give a file that 'record' "
                        "or 'detect --json' wrote."
                    ) from None
                yield line
    except FileNotFoundError:
        raise RecordingError(
            f"{path.name} is not beside the recording in {path.parent}; only recordings with a sidecar know "
            "their boxes. 'detect' finds them anew."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path} cannot be read ({type(error).__name__}); check what it is.") from error


def _understood(line: Any) -> Finder | _Line:
    """raises  ValueError, TypeError, LookupError and their like for what nobody wrote"""
    if "sidecar" in line:
        return _finder(line)
    names: dict[int, str] = {}
    rows: list[tuple[float, ...]] = []
    for each in _list(line["detections"]):
        x1, y1, x2, y2 = (_number(edge) for edge in each["box"])
        class_id, track_id = _id(each["class_id"]), _id(each.get("track_id", -1), least=-1)
        names.setdefault(class_id, str(each["class"]))
        rows.append((x1, y1, x2, y2, _number(each["score"]), class_id, track_id))
    rows.sort(key=lambda row: -row[4])
    return _Line(_number(line["time"]), rows, names)


def _finder(header: dict[str, Any]) -> Finder:
    return Finder(
        labels=LabelMap(tuple(map(str, _list(header.get("classes", []))))),
        name=str(header.get("model", "")),
        sha256=str(header.get("model_sha256", "")),
        min_score=_share(header.get("min_score", 0.5)),
        nms_iou=_share(header.get("nms_iou", 0.45)),
    )


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _MOST:
        raise ValueError
    return float(value)


def _share(value: Any) -> float:
    if not 0 <= (number := _number(value)) <= 1:
        raise ValueError
    return number


def _id(value: Any, *, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**31:
        raise ValueError
    return value
