"""Batches made by processes: where a GPU takes more pictures than one interpreter can make."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import Any

import cv2
import numpy as np

from detector.errors import TrainingError
from trainer.loading import Batch, Loader, wait_for
from trainer.shared_bytes import SharedBytes

_SAMPLES_A_TASK = 4  # handing a task over takes a tenth of a millisecond


class ProcessWorkers:
    """Processes that write into shared memory: one slot a batch under way, copied out when it is whole."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        size = sum(each.nbytes for each in _arrays(loader.empty(0)))
        self._slots = [SharedBytes(size) for _ in range(loader.ahead + 1)]
        self._free = list(range(len(self._slots)))
        self._pool = ProcessPoolExecutor(
            loader.workers,
            # Never a copy of this process: the threads of TensorFlow and JAX would be missing in it.
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_become_worker,
            initargs=(loader, self._slots),
        )

    def begin(self, number: int, *, joined: bool) -> Callable[[], Batch]:
        slot = self._free.pop()
        places = range(self._loader.batch)
        parts: list[Future[None]] = [
            self._pool.submit(_fill, slot, list(places[start : start + _SAMPLES_A_TASK]), number, joined)
            for start in places[::_SAMPLES_A_TASK]
        ]

        def finished() -> Batch:
            try:
                wait_for(parts)
            except BrokenProcessPool as error:
                raise TrainingError(
                    "A process that prepares pictures was ended from outside; is there too little memory? "
                    "Go on with --resume and fewer --workers."
                ) from error
            batch = self._loader.empty(number)
            for ours, shared in zip(_arrays(batch), _arrays(_in_slot(self._slots[slot], self._loader))):
                ours[:] = shared
            self._free.append(slot)
            return batch

        return finished

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def _arrays(batch: Batch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return batch.pictures, batch.offsets, batch.class_ids


def _in_slot(slot: SharedBytes, loader: Loader) -> Batch:
    """A batch whose arrays lie in shared memory."""
    start = 0
    arrays: list[Any] = []
    for like in _arrays(loader.empty(0)):
        part = slot.array[start : start + like.nbytes]
        arrays.append(part.view(like.dtype).reshape(like.shape))
        start += like.nbytes
    pictures, offsets, class_ids = arrays
    return Batch(0, pictures, offsets, class_ids, ())


class _Here:
    """What a worker process works on."""

    loader: Loader
    batches: list[Batch]


def _become_worker(loader: Loader, slots: list[SharedBytes]) -> None:
    cv2.setNumThreads(1)
    _Here.loader = loader
    _Here.batches = [_in_slot(slot, loader) for slot in slots]
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose training was killed would wait for tasks for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _fill(slot: int, places: list[int], number: int, joined: bool) -> None:
    for place in places:
        _Here.loader.fill(_Here.batches[slot], place, number, joined)
