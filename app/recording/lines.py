"""What was found, as JSON lines: one object a frame, for programs to read."""

import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

from app.recording.part_file import create_private, reason, refuse_existing
from detector.errors import RecordingError
from detector.values import Detections, Frame, LabelMap


class Lines:
    """Appends a line for each frame, flushed: what is written stays. The file is begun by the first frame.

    path    a new file, or None for the standard output
    force   replace a file of that name
    raises  RecordingError, from `write` too
    """

    def __init__(self, path: Path | None, labels: LabelMap, *, force: bool = False) -> None:
        self.path = path
        self.count = 0
        self._labels = labels
        self._force = force
        self._stream: TextIO | None = None

    def write(self, frame: Frame, found: Detections) -> None:
        if self._stream is None:
            self._stream = opened(self.path, force=self._force) if self.path else sys.stdout
        line = json.dumps(as_json(frame, found, self._labels), ensure_ascii=False, allow_nan=False)
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except BrokenPipeError:  # whoever reads our standard output has had enough
            raise
        except OSError as error:
            raise self._failure(error) from error
        self.count += 1

    def close(self) -> None:
        if self.path and self._stream:
            try:
                self._stream.close()
            except OSError as error:  # it tries again to write what it holds; network disks fail only here
                raise self._failure(error) from error

    def _failure(self, error: OSError) -> RecordingError:
        written = f" after {self.count} lines, which are there" if self.count else ""
        return RecordingError(
            f"Writing {self.path or 'the standard output'} failed ({reason(error)}){written}. "
            "Make room or choose another folder."
        )


def as_json(
    frame: Frame, found: Detections, labels: LabelMap, *, seconds: float | None = None
) -> dict[str, Any]:
    """A line: pixels of the source to a hundredth, seconds to a microsecond, scores to four digits.

    seconds  the frame's time; None: its source's own
    """
    detections: list[dict[str, Any]] = [
        {
            "box": [round(edge, 2) for edge in box],
            "score": round(score, 4),
            "class": labels[class_id],
            "class_id": class_id,
        }
        for box, score, class_id in zip(found.boxes.tolist(), found.scores.tolist(), found.class_ids.tolist())
    ]
    if found.track_ids is not None:
        for detection, track_id in zip(detections, found.track_ids.tolist()):
            detection["track_id"] = track_id
    return {
        "source": frame.source,
        "frame": frame.sequence,
        "time": round(frame.pts if seconds is None else seconds, 6),
        "width": frame.width,
        "height": frame.height,
        "detections": detections,
    }


def check_lines(path: Path, *, force: bool) -> None:
    """Tells early whether a file of lines can be written here. Changes nothing.

    raises  RecordingError
    """
    if path.is_dir():
        raise RecordingError(f"{path} is a folder; give the lines a file name.")
    if path.exists() and not path.is_file():  # a pipe or a device: writing to it destroys nothing
        return
    refuse_existing(path, force=force)
    if not path.exists():
        os.close(create_private(path))
        path.unlink()


def opened(path: Path, *, force: bool) -> TextIO:
    """A new file for lines, readable by its owner alone; or the pipe that is there.

    raises  RecordingError
    """
    check_lines(path, force=force)
    if path.exists() and not path.is_file():
        return path.open("w", encoding="utf-8")
    path.unlink(missing_ok=True)
    return os.fdopen(create_private(path), "w", encoding="utf-8")
