"""The time of live sources."""

import time
from collections import OrderedDict

_FURTHEST_STEP = 10.0  # seconds
_LEAST = 0.0001  # seconds between the times two packets are decoded
_LEAST_STEP = 0.001  # seconds between what came before a jump and what comes after
_REMEMBERED = 64  # packets a decoder may hold back before their pictures come


class WallClock:
    """Media times that jump, made to run on with the monotonic clock.

    The time of a stream begins anew with each connection, jumps when a camera's clock is set, and runs
    backwards with broken ones; recordings need one that rises. Where a stream tells its packets, they set the
    clock, and each picture gets the time its packet got.
    """

    def __init__(self) -> None:
        self._began: float | None = None
        self._shift = 0.0
        self._last = -1.0  # in the order of decoding
        self._latest = -1.0  # of all
        self._decoded = -1.0  # as told last: some cameras give the same time twice
        self._cut = True
        self._shifts: OrderedDict[float, float] = OrderedDict()  # by the media time of a packet

    def cut(self) -> None:
        """A new connection begins."""
        self._cut = True
        self._shifts.clear()

    def packet(self, pts: float, dts: float) -> tuple[float, float]:
        """Both as seconds since the first packet ever, for one that arrives now."""
        self._follow(dts)
        self._shifts[pts] = self._shift
        if len(self._shifts) > _REMEMBERED:
            self._shifts.popitem(last=False)
        self._latest = max(self._latest, pts + self._shift)
        self._decoded = max(self._last, self._decoded + _LEAST)
        return pts + self._shift, self._decoded

    def picture(self, pts: float) -> float:
        """The same for a picture."""
        if not self._shifts:
            self._follow(pts)
        seconds = pts + self._shifts.get(pts, self._shift)
        self._latest = max(self._latest, seconds)
        return seconds

    def _follow(self, media_seconds: float) -> None:
        now = time.monotonic()
        if self._began is None:
            self._began = now
        seconds = media_seconds + self._shift
        if self._cut or not 0 <= seconds - self._last <= _FURTHEST_STEP:
            seconds = max(now - self._began, self._latest + _LEAST_STEP)
            self._shift = seconds - media_seconds
            self._cut = False
        self._last = seconds
