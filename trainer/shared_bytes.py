"""Bytes that worker processes see too, without a name that could be left behind after `kill -9`."""

import mmap
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CAN_BE_SHARED = hasattr(os, "memfd_create")  # Linux


class SharedBytes:
    """An array of bytes in memory or in a file of this folder, zero at first.

    Memory is taken page by page as it is written to. A process that is started with it among its arguments
    sees the same bytes; elsewhere than on Linux, memory is this process' own.

    raises  OSError when the folder has no room
    """

    def __init__(self, size: int, folder: Path | None = None) -> None:
        self._descriptor = -1
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as file:
                self._descriptor = os.dup(file.fileno())
            self._reserve(size)
        elif CAN_BE_SHARED:
            self._descriptor = os.memfd_create("studio")
            os.ftruncate(self._descriptor, size)
        self.array = self._map(size)

    def _reserve(self, size: int) -> None:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._descriptor, 0, size)  # a full disk is an error now, not a crash later
        else:
            os.truncate(self._descriptor, size)

    def _map(self, size: int) -> NDArray[np.uint8]:
        if self._descriptor < 0 or not size:
            return np.zeros(size, np.uint8)
        return np.frombuffer(mmap.mmap(self._descriptor, size), np.uint8)

    def __getstate__(self) -> tuple[Any, int]:
        from multiprocessing.reduction import DupFd  # Windows has none, and no shared memory here

        return DupFd(self._descriptor), len(self.array)

    def __setstate__(self, state: tuple[Any, int]) -> None:
        descriptor, size = state
        self._descriptor = descriptor.detach()
        self.array = self._map(size)

    def __del__(self) -> None:
        if getattr(self, "_descriptor", -1) >= 0:
            os.close(self._descriptor)
