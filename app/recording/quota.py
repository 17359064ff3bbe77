"""How much recordings may take, and how old they may get: the oldest go first, starred ones never."""

import logging
import os
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import av
from av.error import FFmpegError

from app.recording.clip import MADE_HERE, SUFFIXES, part_path
from app.recording.disk import size_words
from app.recording.sidecar import sidecar_path
from detector.errors import OptionError

logger = logging.getLogger(__name__)

_PART = part_path(Path("x")).name.removeprefix("x")
_turns: dict[Path, threading.Lock] = {}  # one for each folder that is kept within a quota


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What recordings in a folder may be; None: as they like.

    size    bytes, all of them together with what lies beside them
    age     seconds
    raises  OptionError for a quota of nothing
    """

    size: int | None = None
    age: float | None = None

    def __post_init__(self) -> None:
        if (self.size is not None and self.size <= 0) or (self.age is not None and self.age <= 0):
            raise OptionError("A quota of nothing would delete every recording; give more.")


def is_starred(clip: Path) -> bool:
    return star_path(clip).exists()


def set_star(clip: Path, starred: bool) -> None:
    """A starred recording is deleted by its owner only.

    raises  OSError
    """
    if starred:
        star_path(clip).touch(mode=0o600)
    else:
        star_path(clip).unlink(missing_ok=True)


def star_path(clip: Path) -> Path:
    """An empty file: it is seen in the folder, and goes with the recording when that is moved or copied."""
    return clip.with_suffix(".star")


class Tidying:
    """Keeps a folder within its quota. Only our own finished recordings are deleted.

    Several sources may record to one folder, each with its own Tidying: they take turns, and what any of them
    is writing counts.

    folder  and those in it
    """

    def __init__(self, folder: Path, quota: Quota) -> None:
        self._folder, self._quota = folder, quota
        self._turn = _turns.setdefault(folder.resolve(), threading.Lock())
        self._known: dict[tuple[Path, int, int], float | None] = {}  # path, size, time of change -> begun
        self._said = ""

    def tidy(self, *, spared: Collection[Path] = ()) -> list[Path]:
        """Deletes what is too much; one that cannot be deleted is left and logged.

        spared   never deleted
        returns  the recordings that are gone
        raises   OSError when the folder cannot be looked through
        """
        with self._turn:
            return self._tidy(spared)

    def _tidy(self, spared: Collection[Path]) -> list[Path]:
        clips, sizes = self._look()
        total = sum(sizes.values())
        too_old = time.time() - self._quota.age if self._quota.age else None
        gone = []
        for path, begun in sorted(clips, key=lambda clip: clip[1]):
            too_large = self._quota.size is not None and total > self._quota.size
            if not too_large and (too_old is None or begun >= too_old):
                break
            if path in spared or is_starred(path):
                continue
            if _delete(path):  # or another program has just done it
                total -= sum(sizes.get(each, 0) for each in _beside(path))
                gone.append(path)
        if gone:
            logger.info("deleted %d recordings to keep the quota, the last %s", len(gone), gone[-1].name)
        if self._quota.size is not None and total > self._quota.size:
            self._say(f"the recordings in {self._folder} take {size_words(total)}, more than the quota, and "
                      "none of them may be deleted")  # fmt: skip
        return gone

    def _say(self, sentence: str) -> None:
        if sentence != self._said:
            self._said = sentence
            logger.warning("%s", sentence)

    def _look(self) -> tuple[list[tuple[Path, float]], dict[Path, int]]:
        """Our finished recordings and when they began; and the bytes of each file that counts."""
        clips, sizes, known = [], {}, {}
        for path in self._folder.rglob("*"):
            part = path.name.endswith(_PART)
            if not (part or _is_finished(path)) or path.is_symlink():
                continue
            status = _status(path)
            if status is None:
                continue
            if not part:
                key = (path, status.st_size, status.st_mtime_ns)
                known[key] = self._known[key] if key in self._known else _begun(path, status.st_mtime)
                begun = known[key]
                if begun is None:
                    continue
                clips.append((path, begun))
            sizes[path] = status.st_size
            sidecar = sidecar_path(_target(path) if part else path)
            beside = _status(sidecar)
            sizes[sidecar] = beside.st_size if beside else 0
        self._known = known
        return clips, sizes


def _is_finished(path: Path) -> bool:
    """By its name. While OUT.part.mp4 is made of OUT.part.mkv, the latter counts for both."""
    return path.suffix.lower() in SUFFIXES and not path.stem.endswith(".part")


def _target(part: Path) -> Path:
    return part.with_name(f"{part.name.removesuffix(_PART)}.mp4")


def _status(path: Path) -> os.stat_result | None:
    """None for one that is gone, or that nobody may look at."""
    try:
        return path.stat()
    except OSError:
        return None


def _begun(path: Path, changed: float) -> float | None:
    """When a recording of ours began; None for other people's videos."""
    try:
        with av.open(path) as container:
            metadata = {key.lower(): value for key, value in container.metadata.items()}
    except (OSError, ValueError, FFmpegError):
        return None
    if metadata.get("comment") != MADE_HERE:
        return None
    try:
        return datetime.fromisoformat(metadata["creation_time"]).timestamp()
    except (KeyError, ValueError):
        return changed


def _beside(clip: Path) -> tuple[Path, ...]:
    return clip, sidecar_path(clip)


def _delete(clip: Path) -> bool:
    if part_path(clip).exists():  # it is being written anew
        return False
    try:
        for path in _beside(clip):
            path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("%s cannot be deleted: %s", clip, error.strerror)
        return False
    return True
