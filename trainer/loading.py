"""Batches of augmented pictures with their targets, made ahead by threads: the same ones for the same seed.

What a batch holds depends on the seed and its number alone: not on how many threads there are, nor on what
was asked for before. So the place in the data is one number, and a resumed training goes on with the next.
"""

import functools
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detector.values import Boxes, Ids, Pixels
from trainer.augmentation import Sample


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What one step is trained on.

    pictures   (b, height, width, 3) uint8, in the channel order of the network
    offsets    (b, a, 4) float32  see `trainer.loss.Targets`
    class_ids  (b, a)    int32
    names      file names of the pictures, for messages
    """

    number: int
    pictures: Pixels
    offsets: Boxes
    class_ids: Ids
    names: tuple[str, ...]


class Source(Protocol):
    """Where the samples of a training come from."""

    def __len__(self) -> int: ...

    def name(self, number: int) -> str: ...

    def sample(self, number: int, rng: np.random.Generator, *, joined: bool) -> Sample:
        """The sample of this number, changed at random, perhaps joined with others: from any thread."""
        ...


class TargetCoder(Protocol):
    """What makes a sample the target of a network."""

    anchors: int

    def encode(self, sample: Sample) -> tuple[Boxes, Ids]: ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loader:
    """Makes batches; every sample comes once in each round, in a new order.

    height, width  of the pictures that the source gives
    rgb            whether the network takes red first
    threads        that make them
    ahead          batches made while one is trained on
    """

    source: Source
    coder: TargetCoder
    height: int
    width: int
    rgb: bool
    batch: int
    seed: int
    threads: int = 2
    ahead: int = 3

    def batches(
        self, first: int = 0, *, joined: Callable[[int], bool] = lambda number: True
    ) -> Generator[Batch]:
        """Batches from this number on, without end; closing the iterator stops the threads.

        joined  whether samples of the batch of this number may be joined; asked before it is made
        """
        with ThreadPoolExecutor(self.threads, thread_name_prefix="loader") as pool:
            waiting: deque[tuple[Batch, list[Future[None]]]] = deque()
            number = first
            try:
                while True:
                    while len(waiting) <= self.ahead:
                        waiting.append(self._begin(number, joined(number), pool))
                        number += 1
                    batch, parts = waiting.popleft()
                    wait(parts)
                    for part in parts:
                        part.result()  # raises what a thread met
                    yield batch
            finally:
                pool.shutdown(cancel_futures=True)

    def _begin(self, number: int, joined: bool, pool: ThreadPoolExecutor) -> tuple[Batch, list[Future[None]]]:
        positions = range(number * self.batch, (number + 1) * self.batch)
        numbers = [sample_at(position, len(self.source), self.seed) for position in positions]
        batch = Batch(
            number,
            np.empty((self.batch, self.height, self.width, 3), np.uint8),
            np.empty((self.batch, self.coder.anchors, 4), np.float32),
            np.empty((self.batch, self.coder.anchors), np.int32),
            tuple(self.source.name(each) for each in numbers),
        )
        parts = [
            pool.submit(self._fill, batch, place, position, chosen, joined)
            for place, (position, chosen) in enumerate(zip(positions, numbers))
        ]
        return batch, parts

    def _fill(self, batch: Batch, place: int, position: int, number: int, joined: bool) -> None:
        sample = self.source.sample(number, np.random.default_rng((self.seed, position)), joined=joined)
        batch.pictures[place] = sample.pixels[..., ::-1] if self.rgb else sample.pixels
        batch.offsets[place], batch.class_ids[place] = self.coder.encode(sample)


def sample_at(position: int, count: int, seed: int) -> int:
    """Which of `count` samples stands at this position of the endless stream of rounds."""
    turn, place = divmod(position, count)
    return int(_order(count, seed, turn)[place])


@functools.lru_cache(maxsize=4)  # a batch may reach from one round into the next
def _order(count: int, seed: int, turn: int) -> NDArray[np.intp]:
    return np.random.default_rng((seed, turn, count)).permutation(count)
