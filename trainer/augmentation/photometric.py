"""Light and colour: the first step of the original chain. Boxes stay as they are."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.values import Pixels
from trainer.augmentation.sample import Change, Nothing, Sample

_LEVELS = np.arange(256, dtype=np.float32)


def _saturating(factor: float, addend: float) -> NDArray[np.uint8]:
    """What each of the 256 levels becomes: multiplied, added to, rounded, cut off at 0 and 255."""
    return np.clip(np.rint(_LEVELS * np.float32(factor) + np.float32(addend)), 0, 255).astype(np.uint8)


def _through(pixels: Pixels, table: NDArray[np.uint8]) -> Pixels:
    return np.asarray(cv2.LUT(pixels, table), np.uint8)


def _with_channel(pixels: Pixels, channel: int, table: NDArray[np.uint8]) -> Pixels:
    """The picture with one channel of its 8-bit HSV form (hue 0..179) sent through a table."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV)
    hsv[..., channel] = cv2.LUT(hsv[..., channel], table)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), np.uint8)


@dataclass(frozen=True, slots=True)
class Brighten:
    addend: float

    def apply(self, sample: Sample) -> Sample:
        return replace(sample, pixels=_through(sample.pixels, _saturating(1, self.addend)))


@dataclass(frozen=True, slots=True)
class MultiplyContrast:
    factor: float

    def apply(self, sample: Sample) -> Sample:
        return replace(sample, pixels=_through(sample.pixels, _saturating(self.factor, 0)))


@dataclass(frozen=True, slots=True)
class MultiplySaturation:
    factor: float

    def apply(self, sample: Sample) -> Sample:
        return replace(sample, pixels=_with_channel(sample.pixels, 1, _saturating(self.factor, 0)))


@dataclass(frozen=True, slots=True)
class TurnHue:
    """Adds to the hue of the 8-bit HSV form: one unit is two degrees.

    Cut off at 0 as in Caffe, whose addition saturates; above 179 the conversion back wraps by itself.
    """

    addend: float

    def apply(self, sample: Sample) -> Sample:
        return replace(sample, pixels=_with_channel(sample.pixels, 0, _saturating(1, self.addend)))


@dataclass(frozen=True, slots=True)
class InTurn:
    """Several changes, one after the other."""

    changes: tuple[Change, ...]

    def apply(self, sample: Sample) -> Sample:
        for change in self.changes:
            sample = change.apply(sample)
        return sample


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotometricDistortion:
    """Brightness, contrast, saturation and hue, each by its own chance, in one of two orders by a fair coin.

    source  Caffe's DataTransformer as configured by the SSD scripts: 8-bit pixels, so that rounding and
            cutting off happen after every operation. Its permutation of channels has chance 0 there.
    """

    probability: float = 0.5  # of each operation by itself
    brightness: float = 32.0  # added, uniformly from -32 to 32, on the scale 0..255
    contrast: tuple[float, float] = (0.5, 1.5)
    saturation: tuple[float, float] = (0.5, 1.5)
    hue: float = 18.0  # added, uniformly from -18 to 18, in units of two degrees

    def draw(self, sample: Sample, rng: np.random.Generator) -> Change:
        contrast_first = rng.random() > 0.5
        chosen = rng.random(4) < self.probability
        amounts = rng.random(4)
        operations: tuple[Change, ...] = (
            Brighten(_between(-self.brightness, self.brightness, amounts[0])),
            MultiplyContrast(_between(*self.contrast, amounts[1])),
            MultiplySaturation(_between(*self.saturation, amounts[2])),
            TurnHue(_between(-self.hue, self.hue, amounts[3])),
        )
        brightness, contrast, saturation, hue = (
            operation if taken else Nothing() for operation, taken in zip(operations, chosen)
        )
        if contrast_first:
            return InTurn((brightness, contrast, saturation, hue))
        return InTurn((brightness, saturation, hue, contrast))


def _between(low: float, high: float, share: float) -> float:
    return low + (high - low) * float(share)
