"""Zooming out and zooming in: what makes an SSD see small objects, and parts of large ones."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.augmentation.sample import Change, Nothing, Sample

MEAN_COLOUR = (104, 117, 123)  # blue, green, red: the mean of ImageNet fills the original's canvas


@dataclass(frozen=True, slots=True)
class PlaceOnCanvas:
    """The picture on a larger canvas of one colour; sizes and offsets in pixels."""

    height: int
    width: int
    top: int
    left: int
    colour: tuple[int, int, int]

    def apply(self, sample: Sample) -> Sample:
        below = self.height - self.top - sample.height
        right = self.width - self.left - sample.width
        pixels = cv2.copyMakeBorder(
            sample.pixels, self.top, below, self.left, right, cv2.BORDER_CONSTANT, value=self.colour
        )
        moved = sample.boxes + np.array([self.left, self.top, self.left, self.top], np.float32)
        return replace(sample, pixels=np.asarray(pixels, np.uint8), boxes=moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expand:
    """Zooms out: the same ratio for both sides, the place on the canvas uniform. No object is lost."""

    probability: float = 0.5
    largest: float = 4.0  # the ratio of the sides is uniform from 1 to this
    colour: tuple[int, int, int] = MEAN_COLOUR

    def draw(self, sample: Sample, rng: np.random.Generator) -> Change:
        chance, share, down, across = rng.random(4)
        if chance >= self.probability:
            return Nothing()
        ratio = 1 + (self.largest - 1) * share
        height, width = int(sample.height * ratio), int(sample.width * ratio)
        top = int((height - sample.height) * down)
        left = int((width - sample.width) * across)
        return PlaceOnCanvas(height, width, top, left, self.colour)


@dataclass(frozen=True, slots=True)
class CutOut:
    """A part of the picture, in whole pixels. An object stays when its centre does, cut at the edges."""

    left: int
    top: int
    right: int
    bottom: int

    def apply(self, sample: Sample) -> Sample:
        x1, y1, x2, y2 = sample.boxes.T
        across, down = (x1 + x2) / 2, (y1 + y2) / 2
        kept = (across >= self.left) & (across <= self.right) & (down >= self.top) & (down <= self.bottom)
        corner = np.array([self.left, self.top, self.left, self.top], np.float32)
        size = np.array([self.right - self.left, self.bottom - self.top] * 2, np.float32)
        boxes = np.clip(sample.boxes - corner, 0, size)
        kept &= (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        # A copy, so that a small part does not keep the whole canvas alive while it waits in a batch.
        pixels = sample.pixels[self.top : self.bottom, self.left : self.right].copy()
        return replace(sample, pixels=pixels).with_boxes(boxes, kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class CropSampler:
    """Zooms in: the batch sampler of the original.

    Seven samplers look for a part of the picture: the whole of it; one that overlaps some object by an IoU
    of at least .1, .3, .5, .7, .9; any that is drawn first. Of what they find, one is drawn uniformly.
    A part has sides of 0.3 to 1 of the picture's (geometric mean) and an aspect ratio of 1/2 to 2.

    source  Caffe's batch_sampler as configured by the SSD scripts
    """

    min_overlaps: tuple[float, ...] = (0.1, 0.3, 0.5, 0.7, 0.9, 0.0)  # 0: any part will do
    trials: int = 50  # for each of them
    scale: tuple[float, float] = (0.3, 1.0)
    aspect: tuple[float, float] = (0.5, 2.0)

    def draw(self, sample: Sample, rng: np.random.Generator) -> Change:
        candidates = self._candidates(rng)  # (samplers, trials, 4), shares of the sides
        pick = rng.random()
        objects = sample.boxes[~sample.ignored]
        size = np.array([sample.width, sample.height] * 2, np.float32)
        if not len(objects):
            return Nothing()
        overlaps = _best_overlap(candidates.reshape(-1, 4), objects / size).reshape(candidates.shape[:2])
        fits = overlaps >= np.array(self.min_overlaps, np.float32)[:, None]
        found = [candidate[fit.argmax()] for candidate, fit in zip(candidates, fits) if fit.any()]
        choice = int(pick * (len(found) + 1))
        if choice == len(found):
            return Nothing()  # the sampler that is always content: the whole picture
        left, top, right, bottom = (int(edge) for edge in found[choice] * size)  # cut off, as there
        return CutOut(left, top, max(right, left + 1), max(bottom, top + 1))

    def _candidates(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """All parts that the samplers may try, (samplers, trials, 4) as x1, y1, x2, y2 in 0..1."""
        draws = rng.random((4, len(self.min_overlaps), self.trials))
        scale = self.scale[0] + (self.scale[1] - self.scale[0]) * draws[0]
        narrowest = np.maximum(self.aspect[0], scale**2)  # narrower, and it would be higher than the picture
        widest = np.minimum(self.aspect[1], 1 / scale**2)
        aspect = narrowest + (widest - narrowest) * draws[1]
        width, height = scale * np.sqrt(aspect), scale / np.sqrt(aspect)
        x1, y1 = (1 - width) * draws[2], (1 - height) * draws[3]
        return np.clip(np.stack([x1, y1, x1 + width, y1 + height], axis=-1), 0, 1)


def _best_overlap(parts: NDArray[np.floating], objects: NDArray[np.floating]) -> NDArray[np.floating]:
    """The largest IoU of each part with any object: (p, 4), (n, 4) -> (p,)."""
    low = np.maximum(parts[:, None, :2], objects[None, :, :2])
    high = np.minimum(parts[:, None, 2:], objects[None, :, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=-1)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1) for boxes in (parts, objects)]
    return np.asarray((common / (areas[0][:, None] + areas[1][None] - common)).max(axis=1))
