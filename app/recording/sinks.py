"""A frame with its detections drawn in, as a picture."""

import os
from pathlib import Path

import cv2

from app.overlay import draw
from app.recording.part_file import create_private, reason, refuse_existing
from detector.errors import RecordingError
from detector.values import Detections, Frame, LabelMap


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
