"""A live source that a test feeds, and file systems to record to that can fill up, freeze and lose power."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np
import pytest

from app.pipeline.figures import Measure
from app.pipeline.mailbox import Entry, News
from app.pipeline.recorder.live_recording import LiveRecording, names_after
from app.pipeline.recorder.recording_state import RecordingState
from app.recording.plan import RecordingPlan
from app.recording.sidecar import Finder
from app.sources import Source
from detector.values import Detections, Frame
from tests.app.videos import eventually
from tests.app.watching import LABELS

FINDER = Finder(labels=LABELS)


class Feeding:
    """A recording that gets frames of noise at a camera's pace until the block ends; then it is finished."""

    def __init__(
        self,
        path: Path,
        plan: RecordingPlan | None = None,
        *,
        rate: float = 25.0,
        size: tuple[int, int] = (240, 320),
    ) -> None:
        source = Source("porch")
        source.live, source.rate = True, rate
        self.measure = Measure()
        self.recording = LiveRecording(
            names_after(path),
            path.parent,
            plan or RecordingPlan(),
            source=source,
            copies=False,
            patient=False,
            measure=self.measure,
            news=News(None),
        )
        self.offered = 0
        self.slowest = 0.0
        self._rate = rate
        self.turn(*size)
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._feed)

    @property
    def state(self) -> RecordingState:
        return self.recording.state

    def __enter__(self) -> "Feeding":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._enough.set()
        self._thread.join()
        self.recording.finish()
        assert self.recording.join(20)

    def turn(self, height: int, width: int) -> None:
        """Another size from now on."""
        random = np.random.default_rng(0)
        self._noise = [random.integers(0, 255, (height, width, 3), np.uint8) for _ in range(8)]

    def until(self, condition: object, seconds: float = 60.0) -> RecordingState:
        assert callable(condition)
        assert eventually(lambda: condition(self.state), seconds), self.state
        return self.state

    def _feed(self) -> None:
        while not self._enough.wait(1 / self._rate):
            number = self.offered
            frame = Frame(self._noise[number % 8], number, number / self._rate)
            self.recording.offer(
                Entry(frame, number + 1, 0, seen=frame), Detections.empty(), Detections.empty(), FINDER
            )
            self.offered += 1


@contextmanager
def tmpfs(folder: Path, size: str) -> Iterator[Path]:
    """A file system in memory."""
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder))
    try:
        yield folder
    finally:
        _run("umount", "-l", str(folder))


@contextmanager
def disk_image(image: Path, folder: Path) -> Iterator[Path]:
    """An ext4 file system in a file: what its disk holds is what is in that file."""
    folder.mkdir()
    if not image.exists():
        with image.open("wb") as file:
            file.truncate(64 * 2**20)
        _run("mkfs.ext4", "-q", str(image))
    _run("mount", "-o", "loop", str(image), str(folder))
    try:
        yield folder
    finally:
        _run("umount", "-l", str(folder))


@contextmanager
def frozen(folder: Path) -> Iterator[None]:
    """Whoever writes to the file system waits."""
    _run("fsfreeze", "--freeze", str(folder))
    try:
        yield
    finally:
        _run("fsfreeze", "--unfreeze", str(folder))


def _run(*command: str) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and "mount" in command[0]:
        pytest.skip(f"may not mount file systems here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
