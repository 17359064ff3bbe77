"""The examples of a dataset as the samples a loader asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from trainer.augmentation import Chain, Sample, augment
from trainer.augmentation.joining import Mixup, Mosaic
from trainer.augmentation.zoom import Expand
from trainer.datasets import Example
from trainer.picture_cache import PictureCache

Difficult: TypeAlias = Literal["train", "ignore"]

# The smallest part that zooming in cuts out has 0.21 of a side: of a picture this much larger than the
# network's input, it still has nearly as many pixels as the network reads.
ROOM_TO_ZOOM = 4

_FOUR = Mosaic(height=600, width=600)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExampleSource:
    """Pictures from a cache, some of them joined, sent through a chain of augmentation.

    difficult      objects marked so are learnt ("train", as the original does) or left out ("ignore")
    mosaic         share of the samples that are joined from four pictures, as `joining` says
    mixup          share of the samples that are two pictures, one shining through the other
    """

    examples: Sequence[Example]
    cache: PictureCache
    chain: Chain
    difficult: Difficult = "train"
    mosaic: float = 0.0
    mixup: float = 0.0
    joining: Mosaic = _FOUR

    def __len__(self) -> int:
        return len(self.examples)

    def name(self, number: int) -> str:
        return self.examples[number].path.name

    def sample(self, number: int, rng: np.random.Generator, *, joined: bool) -> Sample:
        """The example of this number, augmented; with others, where chance has it and `joined` allows."""
        chance = rng.random()
        others = rng.integers(len(self), size=3)
        if not joined or chance >= self.mosaic + self.mixup:
            return augment(self.stored(number), self.chain, rng)
        if chance < self.mosaic:
            four = self.joining.join([self.stored(each) for each in (number, *others)], rng)
            # It is zoomed out already.
            return augment(four, [step for step in self.chain if not isinstance(step, Expand)], rng)
        one, other = (augment(self.stored(each), self.chain, rng) for each in (number, others[0]))
        return Mixup().join(one, other, rng)

    def stored(self, number: int) -> Sample:
        """The sample as it is before augmentation."""
        example = self.examples[number]
        pixels = self.cache.read(number)
        height, width = pixels.shape[:2]
        factors = np.array([width / example.width, height / example.height] * 2, np.float32)
        ignored = example.crowd | example.difficult if self.difficult == "ignore" else example.crowd
        return Sample(pixels, example.boxes * factors, example.class_ids, ignored)
