"""The boxes of a recording, as JSON lines beside it: CLIP.jsonl for CLIP.mp4.

The first line says who found them, and so does any line after which another model did:

  {"sidecar": 1, "source": "porch", "model": "coco", "model_sha256": "…", "classes": ["person", …],
   "min_score": 0.5, "nms_iou": 0.45, "began": "2026-02-14T15:30:00+00:00"}

Then comes a line for each frame, as `detect --json` writes them; "time" is in seconds of the recording.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from app.recording.lines import as_json, opened
from app.recording.part_file import reason
from detector.errors import RecordingError
from detector.model_card import ModelCard
from detector.values import Detections, Frame, LabelMap

VERSION = 1
# On a car park the COCO model gives 48 boxes a frame from 0.1 up, 18 from here, 9 from 0.2: any lower, and
# the file outgrows its video. What is blurred begins here too.
FLOOR = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """The model that found the boxes, and what was chosen to be seen of them.

    name, sha256  of the model and of its weights; empty where nobody knows
    """

    labels: LabelMap
    name: str = ""
    sha256: str = ""
    min_score: float = 0.5
    nms_iou: float = 0.45


def finder_of(card: ModelCard | Finder | None) -> Finder:
    """A model as a sidecar names it."""
    if isinstance(card, Finder):
        return card
    if card is None:
        return Finder(labels=LabelMap(()))
    return Finder(
        labels=LabelMap(card.classes),
        name=card.name,
        sha256=card.weights_sha256,
        min_score=card.min_score,
        nms_iou=card.nms_iou,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Note:
    """What was found on a frame, whatever its score.

    pts  of the frame, on the clock of the recorder
    """

    pts: float
    frame: Frame
    found: Detections
    finder: Finder


def sidecar_path(clip: Path) -> Path:
    return clip.with_suffix(".jsonl")


class SidecarWriter:
    """Appends a line for each frame, flushed: what is written stays, whatever becomes of the program.

    clip    the recording, OUT.mp4
    start   when it begins, on the clock of the notes
    raises  RecordingError, from `write` and `close` too
    """

    def __init__(self, clip: Path, start: float, *, force: bool = False) -> None:
        self.path = sidecar_path(clip)
        self.start = start
        self._finder: Finder | None = None
        self._file: TextIO = opened(self.path, force=force)

    def write(self, note: Note) -> None:
        try:
            if note.finder != self._finder:
                self._finder = note.finder
                self._append(_header(note))
            found = note.found.above(FLOOR)
            self._append(as_json(note.frame, found, note.finder.labels, seconds=note.pts - self.start))
            self._file.flush()
        except OSError as error:
            raise self._failure(error) from error

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            raise self._failure(error) from error

    def _append(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")

    def _failure(self, error: OSError) -> RecordingError:
        return RecordingError(
            f"Writing {self.path} failed ({reason(error)}); make room or choose another folder."
        )


def _header(note: Note) -> dict[str, Any]:
    finder = note.finder
    return {
        "sidecar": VERSION,
        "source": note.frame.source,
        "model": finder.name,
        "model_sha256": finder.sha256,
        "classes": list(finder.labels.names),
        "min_score": finder.min_score,
        "nms_iou": finder.nms_iou,
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
    }
