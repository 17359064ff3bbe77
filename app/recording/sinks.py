"""Frames with their detections drawn in, as a video or as a picture; the file is begun by the first frame."""

import os
from pathlib import Path

import cv2

from app.overlay import draw
from app.recording.clip import RecordingResult
from app.recording.part_file import create_private, reason, refuse_existing
from app.recording.recorder import Recorder
from app.sources import Source
from detector.errors import RecordingError
from detector.values import Detections, Frame, LabelMap


class AnnotatedVideo:
    """Records what is written to it.

    result  what the finished file holds; None before, and when there was no frame
    raises  RecordingError, from `write` and `close`
    """

    def __init__(self, path: Path, source: Source, labels: LabelMap, *, force: bool = False) -> None:
        self.path = path
        self.result: RecordingResult | None = None
        self._source, self._labels, self._force = source, labels, force
        self._recorder: Recorder | None = None

    def write(self, frame: Frame, found: Detections) -> None:
        if self._recorder is None:
            rate = self._source.rate
            self._recorder = Recorder(self.path, frame.height, frame.width, rate, force=self._force)
        self._recorder.write(draw(frame.pixels, found, self._labels), frame.pts)

    def close(self) -> None:
        if self._recorder is not None:
            self.result = self._recorder.close()


class AnnotatedPicture:
    """Writes one picture in the format its name says.

    raises  RecordingError
    """

    def __init__(self, path: Path, labels: LabelMap, *, force: bool = False) -> None:
        self.path = path
        self._labels, self._force = labels, force

    def write(self, frame: Frame, found: Detections) -> None:
        _, content = cv2.imencode(self.path.suffix.lower(), draw(frame.pixels, found, self._labels))
        part = self.path.with_name(f".{self.path.name}.part")
        try:
            part.unlink(missing_ok=True)
            with os.fdopen(create_private(part), "wb") as file:
                file.write(content.tobytes())
            refuse_existing(self.path, force=self._force)
            part.replace(self.path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise RecordingError(f"{self.path} cannot be written ({reason(error)}); make room.") from error

    def close(self) -> None:
        pass
