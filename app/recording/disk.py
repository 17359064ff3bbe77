"""Room on the disk: how much a recording needs to begin, when a person is warned, when it must end."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from detector.errors import RecordingError


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskLimits:
    """Free bytes on the disk that is recorded to.

    refuse  below this nothing is begun
    warn    below this it is said
    stop    below this a recording ends in order: a full disk harms other programs too
    """

    refuse: int = 500_000_000
    warn: int = 5_000_000_000
    stop: int = 250_000_000


def free_bytes(place: Path) -> int | None:
    """On the disk of a folder, or of the nearest above it that exists; None where nobody can tell."""
    for folder in (place, *place.parents):
        try:
            return shutil.disk_usage(folder).free
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None


def refuse_full_disk(folder: Path, limits: DiskLimits) -> None:
    """raises  RecordingError when there is not enough room to begin"""
    free = free_bytes(folder)
    if free is not None and free < limits.refuse:
        raise RecordingError(
            f"Only {size_words(free)} are free on the disk of {folder}, and a recording begins with "
            f"{size_words(limits.refuse)}; make room or choose another folder."
        )


def room_words(free: int, limits: DiskLimits, bytes_per_second: float | None) -> str:
    """A warning when little is left; empty when there is enough."""
    if free >= limits.warn:
        return ""
    left = seconds_left(free, limits, bytes_per_second)
    lasts = "" if left is None else f", enough for {duration_words(left)} at this rate"
    return f"Only {size_words(free)} are free on the disk of the recordings{lasts}"


def seconds_left(free: int, limits: DiskLimits, bytes_per_second: float | None) -> float | None:
    """Until a recording would have to end; None while its rate is not known."""
    if not bytes_per_second:
        return None
    return max(0.0, (free - limits.stop) / bytes_per_second)


def size_words(count: int) -> str:
    """Bytes as people read them: "420 MB"."""
    for unit, size in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1000:.0f} kB"


def duration_words(seconds: float) -> str:
    """A length of time as people say it: "3 hours"."""
    for unit, size in (("day", 86400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}s"
    return f"{seconds:.0f} seconds"
