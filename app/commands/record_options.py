"""What a person wrote after `record`, read."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.commands.amounts import read_size, read_time, read_time_or_size
from app.commands.event_options import EventOptions, event_options
from app.recording.codecs import DEFAULT_CODEC, find_codec
from app.recording.plan import Mode, RecordingPlan
from app.recording.quota import Quota
from app.recording.reel import Cutting
from app.source_sets import expand
from app.sources import check_capture
from detector.errors import OptionError
from detector.places import recordings_folder

_USUAL_AGE = 7 * 86400.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOptions:
    """What `record` does. None means: as the model's card says, or without that limit."""

    sources: Sequence[str]
    folder: Path
    plan: RecordingPlan
    model: str | None = None  # the one that ships, or the only one there is
    min_score: float | None = None
    classes: Sequence[str] | None = None
    blur: Sequence[str] = ()
    events: EventOptions | None = None
    lasting: float | None = None  # seconds
    metrics: int | None = None  # port
    capture: str = "auto"
    engine: str = "auto"
    device: str = "auto"
    precision: str = "auto"
    quiet: bool = False

    def __post_init__(self) -> None:
        if self.min_score is not None and not 0 <= self.min_score <= 1:
            raise OptionError(f"--min-score cannot be {self.min_score:g}; give a number from 0 to 1.")
        check_capture(self.capture)

    @property
    def needs_model(self) -> bool:
        """Whether anything depends on what is found."""
        needed = self.plan.cutting.on_events or self.blur or self.events
        return self.plan.mode is not Mode.CLEAN or bool(needed)


def read_options(written: argparse.Namespace) -> RecordOptions:
    """raises  OptionError"""
    modes = {mode.value: mode for mode in Mode}
    if written.mode not in modes:
        raise OptionError(f"--mode cannot be '{written.mode}'; it is one of {', '.join(modes)}.")
    seconds, size = read_time_or_size(written.segments, option="--segments")
    plan = RecordingPlan(
        mode=modes[written.mode],
        cutting=Cutting(
            on_events=written.on_events,
            pre_roll=read_time(written.pre_roll, option="--pre-roll"),
            post_roll=read_time(written.post_roll, option="--post-roll"),
            segment_seconds=seconds,
            segment_bytes=size,
        ),
        on_sight=not written.zones,  # with zones, what happens there is the event
        codec=find_codec(written.codec or DEFAULT_CODEC).name,
        quota=Quota(
            size=read_size(written.quota, option="--quota") if written.quota else None,
            age=_age(written),
        ),
    )
    return RecordOptions(
        sources=expand(written.sources),
        folder=written.folder or recordings_folder() / "cameras",
        plan=plan,
        model=written.model,
        min_score=written.min_score,
        classes=_names(written.classes),
        blur=_names(written.blur) or (),
        events=event_options(written.zones, written.events, written.on_event, recorded=written.on_events),
        lasting=read_time(written.lasting, option="--for") if written.lasting else None,
        metrics=written.metrics,
        capture=written.capture,
        engine=written.engine,
        device=written.device,
        precision=written.precision,
        quiet=written.quiet,
    )


def _age(written: argparse.Namespace) -> float | None:
    """Pictures of people are not kept for ever unasked; nor is anything deleted among a person's own."""
    if written.keep is None:
        return _USUAL_AGE if written.folder is None else None
    return None if written.keep == "ever" else read_time(written.keep, option="--keep")


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(name.strip() for name in text.split(","))
