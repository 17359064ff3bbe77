"""A model in somebody else's format, proved in that format's own runtime: `export_model`."""

from detector.exports.exporting import FORMATS, Exported, export_model

__all__ = ["FORMATS", "Exported", "export_model"]
