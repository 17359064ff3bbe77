"""Frames from a source to the detector and whoever listens, and the threads they pass through."""

from app.pipeline.choice import Choice
from app.pipeline.figures import Figures
from app.pipeline.live import LivePipeline, View
from app.pipeline.recorder.recording_state import RecordingState
from app.pipeline.shared_engine import BATCH, DetectorState, DetectorStatus, OpenEngine, SharedEngine

__all__ = [
    "BATCH",
    "Choice",
    "DetectorState",
    "DetectorStatus",
    "Figures",
    "LivePipeline",
    "OpenEngine",
    "RecordingState",
    "SharedEngine",
    "View",
]
