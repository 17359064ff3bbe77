"""The pictures of a training, each decoded once: in memory when they fit, else in a file, else not kept."""

import errno
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from detector.pictures import read_picture
from detector.places import cache_folder
from detector.values import Pixels
from trainer.datasets import Example
from trainer.shared_bytes import SharedBytes

logger = logging.getLogger(__name__)


class PictureCache:
    """Pictures by their number, ready for augmentation; read by many threads and processes at once.

    longest_side  pixels; larger pictures are kept shrunk to this
    memory        bytes that may be used; None: half of what is free now
    place         where they are kept: "memory", "disk" or "nowhere"
    """

    def __init__(self, examples: Sequence[Example], *, longest_side: int, memory: int | None = None) -> None:
        self._paths = [example.path for example in examples]
        self._sizes = [_shrunk(example.height, example.width, longest_side) for example in examples]
        lengths = np.array([height * width * 3 for height, width in self._sizes], np.int64)
        # One byte a picture says whether it is there; the pictures follow.
        self._ends = len(lengths) + np.cumsum(lengths)
        size = len(lengths) + int(lengths.sum())
        self._store: SharedBytes | None
        if size <= (_free_memory() // 2 if memory is None else memory):
            self.place, self._store = "memory", SharedBytes(size)
        else:
            self._store = _on_disk(size)
            self.place = "disk" if self._store else "nowhere"

    def read(self, number: int) -> Pixels:
        """The pixels of a picture, BGR, upright, shrunk where it is larger than needed; not to be written to.

        raises  SourceError when it cannot be read
        """
        height, width = self._sizes[number]
        if self._store is None:
            return _read(self._paths[number], height, width)
        end = int(self._ends[number])
        kept = self._store.array[end - height * width * 3 : end].reshape(height, width, 3)
        if not self._store.array[number]:  # two may come here at once: they write the same
            kept[:] = _read(self._paths[number], height, width)
            self._store.array[number] = 1
        return kept


def _shrunk(height: int, width: int, longest_side: int) -> tuple[int, int]:
    factor = min(1.0, longest_side / max(height, width))
    return max(1, round(height * factor)), max(1, round(width * factor))


def _read(path: Path, height: int, width: int) -> Pixels:
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


def _on_disk(size: int) -> SharedBytes | None:
    """Room in a file; None where the disk has none."""
    folder = cache_folder()
    try:
        return SharedBytes(size, folder)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        logger.warning(
            "No room for %.1f GB of decoded pictures in %s: every one is decoded again each time.",
            size / 1e9,
            folder,
        )
        return None
