"""Batches of augmented pictures with their targets, made ahead: the same ones for the same seed.

What a batch holds depends on the seed and its number alone: not on who made it, nor on what was asked for
before. So the place in the data is one number, and a resumed training goes on with the next.
"""

import functools
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
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


class Workers(Protocol):
    """Who makes batches."""

    def begin(self, number: int, *, joined: bool) -> Callable[[], Batch]:
        """Has a batch made; what is given waits for it, and raises what its makers met."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loader:
    """Makes batches; every sample comes once in each round, in a new order.

    height, width  of the pictures that the source gives
    rgb            whether the network takes red first
    workers        how many make them: threads, or processes where `processes` says so. Python's own part of a
                   picture takes a millisecond: threads make 1000 a second together, however many there are
    ahead          batches made while one is trained on
    """

    source: Source
    coder: TargetCoder
    height: int
    width: int
    rgb: bool
    batch: int
    seed: int
    workers: int = 2
    processes: bool = False
    ahead: int = 3

    def batches(
        self, first: int = 0, *, joined: Callable[[int], bool] = lambda number: True
    ) -> Generator[Batch]:
        """Batches from this number on, without end; closing the generator ends the workers.

        joined  whether samples of the batch of this number may be joined; asked before it is made
        """
        with ExitStack() as stack:
            workers: Workers
            if self.processes:
                from trainer.loading_processes import ProcessWorkers

                workers = stack.enter_context(closing(ProcessWorkers(self)))
            else:
                workers = stack.enter_context(closing(ThreadWorkers(self)))
            waiting: deque[Callable[[], Batch]] = deque()
            number = first
            while True:
                while len(waiting) <= self.ahead:
                    waiting.append(workers.begin(number, joined=joined(number)))
                    number += 1
                yield waiting.popleft()()

    def empty(self, number: int) -> Batch:
        """A batch with room for its samples."""
        positions = range(number * self.batch, (number + 1) * self.batch)
        return Batch(
            number,
            np.empty((self.batch, self.height, self.width, 3), np.uint8),
            np.empty((self.batch, self.coder.anchors, 4), np.float32),
            np.empty((self.batch, self.coder.anchors), np.int32),
            tuple(self.source.name(sample_at(each, len(self.source), self.seed)) for each in positions),
        )

    def fill(self, batch: Batch, place: int, number: int, joined: bool) -> None:
        """Makes the sample at this place of the batch of this number."""
        position = number * self.batch + place
        rng = np.random.default_rng((self.seed, position))
        sample = self.source.sample(sample_at(position, len(self.source), self.seed), rng, joined=joined)
        batch.pictures[place] = sample.pixels[..., ::-1] if self.rgb else sample.pixels
        batch.offsets[place], batch.class_ids[place] = self.coder.encode(sample)


class ThreadWorkers:
    """Threads of this process: they start at once, and share everything."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._pool = ThreadPoolExecutor(loader.workers, thread_name_prefix="loader")

    def begin(self, number: int, *, joined: bool) -> Callable[[], Batch]:
        loader = self._loader
        batch = loader.empty(number)
        parts = [self._pool.submit(loader.fill, batch, each, number, joined) for each in range(loader.batch)]

        def finished() -> Batch:
            wait_for(parts)
            return batch

        return finished

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def wait_for(parts: list[Future[None]]) -> None:
    """Until all are done; raises what one of them met."""
    for part in parts:
        part.result()


def sample_at(position: int, count: int, seed: int) -> int:
    """Which of `count` samples stands at this position of the endless stream of rounds."""
    turn, place = divmod(position, count)
    return int(_order(count, seed, turn)[place])


@functools.lru_cache(maxsize=4)  # a batch may reach from one round into the next
def _order(count: int, seed: int, turn: int) -> NDArray[np.intp]:
    return np.random.default_rng((seed, turn, count)).permutation(count)
