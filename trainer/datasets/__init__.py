"""Labelled photographs: `open_dataset(folder)` recognises the format and gives trustworthy examples."""

from trainer.datasets.example import Dataset, Example, Flaw
from trainer.datasets.opening import open_dataset, survey

__all__ = ["Dataset", "Example", "Flaw", "open_dataset", "survey"]
