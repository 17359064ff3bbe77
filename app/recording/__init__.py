"""Annotated video and lines on disk that survive whatever happens while they are written."""

from app.recording.recorder import Recorder, RecordingResult, check_target

__all__ = ["Recorder", "RecordingResult", "check_target"]
