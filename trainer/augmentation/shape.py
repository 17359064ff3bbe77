"""The last steps: to the size the network reads, mirrored, turned."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from trainer.augmentation.sample import Change, Nothing, Sample

INTERPOLATIONS = (cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_NEAREST, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)


@dataclass(frozen=True, slots=True)
class Warp:
    """To a size, each side by its own factor."""

    height: int
    width: int
    interpolation: int

    def apply(self, sample: Sample) -> Sample:
        factors = np.array([self.width / sample.width, self.height / sample.height] * 2, np.float32)
        pixels = cv2.resize(sample.pixels, (self.width, self.height), interpolation=self.interpolation)
        return replace(sample, pixels=np.asarray(pixels, np.uint8), boxes=sample.boxes * factors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """Warps to the input size of the network by an interpolation drawn uniformly, so that none is learnt."""

    height: int
    width: int
    interpolations: tuple[int, ...] = INTERPOLATIONS

    def draw(self, sample: Sample, rng: np.random.Generator) -> Change:
        choice = int(rng.random() * len(self.interpolations))
        return Warp(self.height, self.width, self.interpolations[choice])


@dataclass(frozen=True, slots=True)
class FlipSides:
    """Left becomes right."""

    def apply(self, sample: Sample) -> Sample:
        flipped = np.array([sample.width, 0, sample.width, 0], np.float32) + sample.boxes * np.array(
            [-1, 1, -1, 1], np.float32
        )
        pixels = np.asarray(cv2.flip(sample.pixels, 1), np.uint8)
        return replace(sample, pixels=pixels, boxes=flipped[:, [2, 1, 0, 3]])


@dataclass(frozen=True, slots=True)
class FlipUpDown:
    """Top becomes bottom."""

    def apply(self, sample: Sample) -> Sample:
        flipped = np.array([0, sample.height, 0, sample.height], np.float32) + sample.boxes * np.array(
            [1, -1, 1, -1], np.float32
        )
        pixels = np.asarray(cv2.flip(sample.pixels, 0), np.uint8)
        return replace(sample, pixels=pixels, boxes=flipped[:, [0, 3, 2, 1]])


@dataclass(frozen=True, slots=True)
class TurnClockwise:
    """By so many quarters of a full turn."""

    quarters: int

    def apply(self, sample: Sample) -> Sample:
        for _ in range(self.quarters % 4):
            x1, y1, x2, y2 = sample.boxes.T
            height = np.float32(sample.height)
            boxes = np.stack([height - y2, x1, height - y1, x2], axis=1)
            pixels = np.asarray(cv2.rotate(sample.pixels, cv2.ROTATE_90_CLOCKWISE), np.uint8)
            sample = replace(sample, pixels=pixels, boxes=boxes)
        return sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    probability: float = 0.5

    def draw(self, sample: Sample, rng: np.random.Generator) -> Change:
        return FlipSides() if rng.random() < self.probability else Nothing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Upend:
    """Upside down: for pictures from above, where there is no up."""

    probability: float = 0.5

    def draw(self, sample: Sample, rng: np.random.Generator) -> Change:
        return FlipUpDown() if rng.random() < self.probability else Nothing()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarterTurns:
    """None, one, two or three quarter turns, uniformly."""

    def draw(self, sample: Sample, rng: np.random.Generator) -> Change:
        return TurnClockwise(int(rng.random() * 4))
