"""How a recording is doing, in what a window, a command or a metric shows of it."""

from dataclasses import dataclass
from pathlib import Path

from app.recording import RecordingResult


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingState:
    """How a recording is doing.

    path       being written now, or last; None while an event is waited for
    running    False once everything is on the disk, or it failed
    waiting    no event yet: what comes is kept for a pre-roll only
    frames     written so far
    seconds    their duration
    size       bytes of the clip that is written now
    files      finished, re-opened and counted
    time_left  seconds until the disk is full at this rate; None where nobody can tell
    warning    what a person should know while it goes on; empty when all is well
    failure    why it ended early or a file is missing, in one sentence; empty when all is well
    """

    path: Path | None
    running: bool
    waiting: bool = False
    frames: int = 0
    seconds: float = 0.0
    size: int = 0
    files: tuple[RecordingResult, ...] = ()
    time_left: float | None = None
    warning: str = ""
    failure: str = ""
