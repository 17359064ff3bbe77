"""Frames from a source to the detector and to whoever listens. Here, and only here, are threads."""

from app.pipeline.choice import Choice
from app.pipeline.figures import Figures
from app.pipeline.live import Engine, LivePipeline, View

__all__ = ["Choice", "Engine", "Figures", "LivePipeline", "View"]
