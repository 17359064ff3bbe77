"""Video and lines on disk that survive whatever happens while they are written."""

from app.recording.clip import RecordingResult, check_target
from app.recording.recorder import Recorder

__all__ = ["Recorder", "RecordingResult", "check_target"]
