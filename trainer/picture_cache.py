"""The pictures of a training, each decoded once: in memory when they fit, else in a file, else not kept."""

import errno
import logging
import os
import tempfile
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.pictures import read_picture
from detector.places import cache_folder
from detector.values import Pixels
from trainer.datasets import Example

logger = logging.getLogger(__name__)


class PictureCache:
    """Pictures by their number, ready for augmentation; read by many threads at once.

    longest_side  pixels; larger pictures are kept shrunk to this
    memory        bytes that may be used; None: half of what is free now
    """

    def __init__(self, examples: Sequence[Example], *, longest_side: int, memory: int | None = None) -> None:
        self._paths = [example.path for example in examples]
        self._sizes = [_shrunk(example.height, example.width, longest_side) for example in examples]
        lengths = np.array([height * width * 3 for height, width in self._sizes], np.int64)
        self._ends = np.cumsum(lengths)
        self._kept = np.zeros(len(lengths), bool)
        total = int(lengths.sum())
        self.place = "memory" if total <= (_free_memory() // 2 if memory is None else memory) else "disk"
        self._store: NDArray[np.uint8] | None
        # Memory is taken page by page as pictures arrive: reserving it costs nothing.
        self._store = np.empty(total, np.uint8) if self.place == "memory" else _stored_in_file(total)
        if self._store is None:
            self.place = "nowhere"

    def read(self, number: int) -> Pixels:
        """The pixels of a picture, BGR, upright, shrunk where it is larger than needed; not to be written to.

        raises  SourceError when it cannot be read
        """
        height, width = self._sizes[number]
        if self._store is None:
            return _read(self._paths[number], height, width)
        end = int(self._ends[number])
        kept = self._store[end - height * width * 3 : end].reshape(height, width, 3)
        if not self._kept[number]:  # two threads may both come here: they write the same
            kept[:] = _read(self._paths[number], height, width)
            self._kept[number] = True
        return kept


def _shrunk(height: int, width: int, longest_side: int) -> tuple[int, int]:
    factor = min(1.0, longest_side / max(height, width))
    return max(1, round(height * factor)), max(1, round(width * factor))


def _read(path: Any, height: int, width: int) -> Pixels:
    pixels = read_picture(path)
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _free_memory() -> int:
    """Bytes of memory nobody uses; a careful guess where the system does not say."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 2 << 30


def _stored_in_file(size: int) -> NDArray[np.uint8] | None:
    """Room in a file that vanishes with this process, however it ends; None where the disk has no room."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:  # the map keeps it when it is closed
            try:
                os.posix_fallocate(file.fileno(), 0, size)  # a full disk is an error now, not a crash later
            except AttributeError:  # Windows allocates when the size is set
                file.truncate(size)
            return np.memmap(file, np.uint8, "r+", shape=(size,))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        logger.warning(
            "No room for %.1f GB of decoded pictures in %s: every one is decoded again each time.",
            size / 1e9,
            folder,
        )
        return None
