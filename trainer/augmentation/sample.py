"""A picture with its objects on its way through augmentation, and what a step of that way is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detector.values import Boxes, Ids, Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One labelled picture in memory; a change gives a new one.

    pixels     (height, width, 3) uint8, BGR
    boxes      (n, 4) float32  x1, y1, x2, y2 in pixels of this picture
    class_ids  (n,)   int32
    ignored    (n,)   bool     regions that are neither object nor background (crowds)
    """

    pixels: Pixels
    boxes: Boxes
    class_ids: Ids
    ignored: NDArray[np.bool_]

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    def with_boxes(self, boxes: Boxes, kept: NDArray[np.bool_]) -> "Sample":
        """Other boxes for the same objects, of which only those kept stay."""
        return replace(
            self,
            boxes=np.ascontiguousarray(boxes[kept], np.float32),
            class_ids=self.class_ids[kept],
            ignored=self.ignored[kept],
        )


class Change(Protocol):
    """What was drawn for one picture: a frozen value that can be printed, kept and applied again."""

    def apply(self, sample: Sample) -> Sample: ...


class Step(Protocol):
    """A frozen configuration that draws a change: all chance is in `draw`, none in the change."""

    def draw(self, sample: Sample, rng: np.random.Generator) -> Change: ...


Chain = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """The change that changes nothing."""

    def apply(self, sample: Sample) -> Sample:
        return sample


def augment(sample: Sample, steps: Sequence[Step], rng: np.random.Generator) -> Sample:
    """The sample after all steps, each drawn for what the one before has left."""
    for step in steps:
        sample = step.draw(sample, rng).apply(sample)
    return sample
