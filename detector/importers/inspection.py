"""What a file of weights holds, for people: its arrays by name and what it looks like."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Array:
    """One array of a file; `dtype` in numpy's words, or the file's own where numpy has none."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"


@dataclass(frozen=True, slots=True)
class Inspection:
    """A file that was looked at, not imported.

    container   how it is written: "a Caffe model"
    arrays      all that it holds, in its own order
    looks_like  a sentence: what network that may be, and what to do with it
    """

    container: str
    arrays: Sequence[Array]
    looks_like: str

    @property
    def numbers(self) -> int:
        """How many numbers the arrays hold together."""
        return sum(math.prod(each.shape) for each in self.arrays)
