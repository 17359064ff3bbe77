"""When a frame of a file is due: speed, pause, steps and seeks, asked for from another thread."""

import threading
import time
from dataclasses import dataclass

MIN_SPEED, MAX_SPEED = 0.1, 16.0
_LATE = 0.25  # seconds behind after which the clock is set anew, instead of rushing to catch up


@dataclass(frozen=True, slots=True)
class Jump:
    """A seek: see `Source.seek`."""

    seconds: float
    before: bool = False


class Playback:
    """Asked by the window, obeyed by the capture thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._closing = False
        self._paused = False
        self._speed = 1.0
        self._owed = 0  # frames to be let through although paused
        self._jump: Jump | None = None
        self._steps_back = 0
        self._start: tuple[float, float] | None = None  # monotonic time and pts that belong together
        self._pts = 0.0  # of the frame let through last

    # Asked by the window.

    @property
    def paused(self) -> bool:
        with self._changed:
            return self._paused

    @property
    def speed(self) -> float:
        with self._changed:
            return self._speed

    def set_paused(self, paused: bool) -> None:
        with self._changed:
            self._paused, self._start = paused, None
            self._owed = min(self._owed, 1)  # one may be the answer to a seek
            self._changed.notify_all()

    def set_speed(self, speed: float) -> None:
        with self._changed:
            self._speed, self._start = min(max(speed, MIN_SPEED), MAX_SPEED), None
            self._changed.notify_all()

    def step(self, frames: int) -> None:
        """So many frames forward, or one back for a negative number; pauses."""
        with self._changed:
            self._paused, self._start = True, None
            if frames > 0:
                self._owed += frames
            else:
                self._steps_back += 1
            self._changed.notify_all()

    def seek(self, seconds: float) -> None:
        with self._changed:
            self._jump, self._steps_back = Jump(max(0.0, seconds)), 0
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    # Asked by the capture thread.

    def is_closing(self) -> bool:
        with self._changed:
            return self._closing

    def take_jump(self) -> Jump | None:
        """The seek to be made now, if one was asked for; the frame after it is let through at once."""
        with self._changed:
            jump, self._jump = self._jump, None
            if jump is None and self._wants_step_back():
                self._steps_back -= 1
                jump = Jump(self._pts, before=True)
            if jump is not None:
                self._owed, self._start = 1, None
            return jump

    def wait_for_jump(self) -> None:
        """At the end of a file: returns when a seek is asked for, or closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._wants_jump())

    def let_through(self, pts: float) -> bool:
        """Waits until a frame is due. False when it is not wanted any more: a seek or the end came first."""
        with self._changed:
            while True:
                if self._closing or self._wants_jump():
                    return False
                if self._owed:
                    self._owed -= 1
                    self._start = None
                    break
                wait = None if self._paused else self._until_due(pts, time.monotonic())
                if wait is not None and wait <= 0:
                    break
                self._changed.wait(wait)
            self._pts = pts
            return True

    def _until_due(self, pts: float, now: float) -> float:
        if self._start is None:
            # The frame shown now has had no time of its own yet: this one follows at its distance.
            distance = pts - self._pts
            self._start = (now + (distance / self._speed if 0 < distance < 2 else 0.0), pts)
        due = self._start[0] + (pts - self._start[1]) / self._speed
        if now - due > _LATE:
            self._start = (now, pts)
            return 0.0
        return due - now

    def _wants_jump(self) -> bool:
        return self._jump is not None or self._wants_step_back()

    def _wants_step_back(self) -> bool:
        # Back from the frame in view: the one that is on its way must have come before.
        return self._steps_back > 0 and self._owed == 0
