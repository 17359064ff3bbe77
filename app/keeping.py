"""What is recorded and how, as a person has chosen; and names for what nobody has named."""

import contextlib
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from app.recording.clip import part_path
from app.recording.disk import DiskLimits
from app.recording.part_file import make_folder
from app.recording.plan import Mode, RecordingPlan
from app.recording.quota import Quota
from app.recording.reel import Cutting
from detector.errors import OptionError
from detector.places import recordings_folder


def new_path(source_name: str, suffix: str, *, folder: str = "", now: datetime | None = None) -> Path:
    """A name nothing has yet: the source and the time, as in walk_20260214-153000.mp4.

    source_name  fit to be shown; of an address only the host remains, so no secret can get into a file name
    suffix       ".mp4"
    folder       empty: the person's own for videos; made when missing
    raises       RecordingError when the folder cannot be made
    """
    place = folder_of(folder)
    make_folder(place)
    stem = f"{stem_of(source_name)}_{now or datetime.now():%Y%m%d-%H%M%S}"
    path, number = place / f"{stem}{suffix}", 2
    while path.exists() or part_path(path).exists():
        path, number = place / f"{stem}-{number}{suffix}", number + 1
    return path


def folder_of(chosen: str) -> Path:
    """Where recordings go; empty: the person's own place for videos. Not made here."""
    return Path(chosen).expanduser() if chosen else recordings_folder()


def stem_of(source_name: str) -> str:
    """What files of a source are called; of an address only the host remains."""
    if "://" in source_name:
        rest = source_name.partition("://")[2].rpartition("@")[2]
        host = re.match(r"\[[^\]]*\]|[^:/?#]*", rest)
        source_name = host.group() if host else ""
    else:
        source_name = Path(source_name).stem or source_name
    return re.sub(r"[^\w-]+", "-", source_name).strip("-")[:60] or "source"


def stems_of(source_names: Iterable[str]) -> list[str]:
    """The same for sources that are watched together: two cameras behind one host are numbered."""
    stems = [stem_of(name) for name in source_names]
    count = Counter(stems)
    return [f"{stem}-{number}" if count[stem] > 1 else stem for number, stem in enumerate(stems, 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person has chosen about recordings, in the units people think in; kept in the settings.

    segment_minutes, quota_gb, keep_days  0: none
    refuse_mb, warn_mb, stop_mb           see DiskLimits
    """

    mode: str = Mode.ANNOTATED.value
    on_events: bool = False
    pre_roll: float = 5.0  # seconds
    post_roll: float = 10.0
    segment_minutes: float = 0.0
    quota_gb: float = 0.0
    keep_days: float = 0.0
    refuse_mb: float = 500.0
    warn_mb: float = 5000.0
    stop_mb: float = 250.0

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `dataclasses.asdict` gave; what cannot be meant is replaced by its default."""
        wishes = cls()
        for each in fields(cls):
            value, usual = stored.get(each.name), getattr(wishes, each.name)
            if isinstance(usual, bool | str):
                fits = type(value) is type(usual)
            else:
                fits = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
            if fits:
                with contextlib.suppress(ValueError, OptionError):
                    changed: dict[str, Any] = {each.name: value}
                    candidate = replace(wishes, **changed)
                    candidate.plan()
                    wishes = candidate
        return wishes

    def plan(self, *, force: bool = False) -> RecordingPlan:
        """raises  OptionError, and ValueError for a mode there is not"""
        return RecordingPlan(
            mode=Mode(self.mode),
            cutting=Cutting(
                on_events=self.on_events,
                pre_roll=self.pre_roll,
                post_roll=self.post_roll,
                segment_seconds=self.segment_minutes * 60 or None,
            ),
            limits=DiskLimits(
                refuse=round(self.refuse_mb * 1e6),
                warn=round(self.warn_mb * 1e6),
                stop=round(self.stop_mb * 1e6),
            ),
            quota=Quota(size=round(self.quota_gb * 1e9) or None, age=self.keep_days * 86400 or None),
            force=force,
        )

    @property
    def one_file(self) -> bool:
        """Whether a recording is one file, which can be named before it begins."""
        return not (self.on_events or self.segment_minutes)


def new_paths(source_name: str, *, folder: str = "") -> Iterator[Path]:
    """A name for each clip of a recording, taken when it begins."""
    return (new_path(source_name, ".mp4", folder=folder) for _ in itertools.count())
