"""Several pictures made one: more objects, and more odd neighbours, than any photograph has."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from trainer.augmentation.sample import Sample
from trainer.augmentation.shape import Warp
from trainer.augmentation.zoom import MEAN_COLOUR, CutOut


@dataclass(frozen=True, slots=True, kw_only=True)
class Mosaic:
    """Four pictures around a point, each cut where it reaches beyond its corner of the whole.

    height, width  of the whole, pixels
    centre         where the four meet, as shares of the sides: uniform in this range
    scale          of each picture, 1: as large as half the whole allows; uniform in this range
    """

    height: int
    width: int
    centre: tuple[float, float] = (0.35, 0.65)
    scale: tuple[float, float] = (0.7, 1.5)
    colour: tuple[int, int, int] = MEAN_COLOUR

    def join(self, samples: Sequence[Sample], rng: np.random.Generator) -> Sample:
        """One sample of four."""
        low, high = self.centre
        meet_x, meet_y = (
            int(side * (low + (high - low) * rng.random())) for side in (self.width, self.height)
        )
        pixels = np.empty((self.height, self.width, 3), np.uint8)
        pixels[:] = self.colour
        parts = []
        for number, sample in enumerate(samples):
            right, below = number % 2 == 1, number // 2 == 1
            room_x = self.width - meet_x if right else meet_x
            room_y = self.height - meet_y if below else meet_y
            part = _fitted(sample, room_y, room_x, _between(self.scale, rng.random()), rng)
            left = meet_x if right else meet_x - part.width
            top = meet_y if below else meet_y - part.height
            pixels[top : top + part.height, left : left + part.width] = part.pixels
            parts.append(replace(part, boxes=part.boxes + np.array([left, top, left, top], np.float32)))
        return Sample(
            pixels,
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.class_ids for part in parts]),
            np.concatenate([part.ignored for part in parts]),
        )


def _fitted(sample: Sample, height: int, width: int, scale: float, rng: np.random.Generator) -> Sample:
    """The sample scaled to about this size, aspect ratio kept; what is beyond the size is cut at random."""
    factor = scale * min(height / sample.height, width / sample.width)
    rows, columns = max(1, round(sample.height * factor)), max(1, round(sample.width * factor))
    interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    scaled = Warp(rows, columns, interpolation).apply(sample)
    top, left = (int(max(0, have - room) * rng.random()) for have, room in ((rows, height), (columns, width)))
    return CutOut(left, top, min(columns, left + width), min(rows, top + height)).apply(scaled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixup:
    """One picture shining through another of the same size; all objects of both count.

    evenness  of the shares, drawn from a beta distribution with both parameters this: large is half and half

    source  Zhang et al. 2019, Bag of Freebies for Training Object Detection Neural Networks
    """

    evenness: float = 8.0

    def join(self, one: Sample, other: Sample, rng: np.random.Generator) -> Sample:
        share = float(rng.beta(self.evenness, self.evenness))
        pixels = cv2.addWeighted(one.pixels, share, other.pixels, 1 - share, 0)
        return Sample(
            np.asarray(pixels, np.uint8),
            np.concatenate([one.boxes, other.boxes]),
            np.concatenate([one.class_ids, other.class_ids]),
            np.concatenate([one.ignored, other.ignored]),
        )


def _between(limits: tuple[float, float], share: float) -> float:
    return limits[0] + (limits[1] - limits[0]) * share
