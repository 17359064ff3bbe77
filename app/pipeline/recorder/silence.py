"""Notices that pictures come and nothing of them reaches the disk."""

import time

from app.pipeline.figures import Measure
from app.recording.clip import Clip

_SILENT = 2.0  # seconds the disk may take nothing before it is said


class Silence:
    """Told what comes, asked now and then.

    name       of the source
    on_events  whether it is usual that pictures come and no clip is written
    patient    whether pictures wait until they can be written: then only those that wait count, since they
               may come in bursts
    """

    def __init__(self, name: str, measure: Measure, *, on_events: bool, patient: bool) -> None:
        self._name, self._measure, self._on_events, self._patient = name, measure, on_events, patient
        self._offered_at = self._shown_at = self._grew_at = time.monotonic()
        self._seen: tuple[Clip | None, int] = (None, 0)

    def shown(self) -> None:
        """A picture has come."""
        self._shown_at = time.monotonic()

    def offered(self) -> None:
        """Something is on its way into the recording."""
        self._offered_at = time.monotonic()

    def words(self, clip: Clip | None, size: int, *, waiting: bool) -> str:
        """A sentence when it lasts too long; else empty.

        clip, size  what is written now, and its bytes
        waiting     whether something still waits to be written
        """
        now = time.monotonic()
        _, usual = self._measure.silence(now)
        if self._patient:
            comes, idle = waiting, not waiting
        else:
            comes = clip is None or waiting or now - self._offered_at < _SILENT / 2
            idle = clip is None and (self._on_events or now - self._shown_at > _SILENT / 2 + 2 * usual)
        if self._seen != (clip, size) or idle:
            self._seen, self._grew_at = (clip, size), now
        silent = now - self._grew_at
        if not comes or silent <= _SILENT + 2 * usual:
            return ""
        if clip is None:
            return f"Pictures of {self._name} come, but none could be recorded for {silent:.0f} s"
        return f"Nothing of {clip.path.name} has reached the disk for {silent:.0f} s; is it still there?"
