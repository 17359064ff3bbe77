"""Boxes between two detections: kept on their objects, and the same number for the same object."""

from app.tracking.carrying import Carrying

__all__ = ["Carrying"]
