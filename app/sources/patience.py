"""How long a live source may be silent before it counts as stalled, and as lost."""

OPEN_LIMIT = 5.0  # seconds a host has to answer, and again to begin
_GRACE = 2.0  # seconds more, in which the child can notice by itself: it knows what it was waiting for
_STALLED, _STALLED_INTERVALS = 1.0, 5  # seconds, usual distances between pictures: the longer counts
_LOST = 5.0  # seconds
_MOST = 60.0  # seconds, for cameras that send a picture now and then
_FIRST_PICTURE = 30.0  # seconds without one although something comes: key frames may be that far apart


class Patience:
    """Told what happens on one connection after the other; all times in seconds of any clock that rises."""

    def __init__(self) -> None:
        self._lost_after = _LOST
        self._began = self._sign = 0.0
        self._opened = False
        self._pictures = 0
        self._interval = 0.0  # usual distance of two pictures, seconds

    @property
    def open_limit(self) -> float:
        """Seconds a reader may take to open what has answered."""
        return max(OPEN_LIMIT, self._lost_after)

    def connecting(self, now: float) -> None:
        if self._pictures > 2:
            self._lost_after = _LOST
        elif self._pictures:  # lost before its usual distance was known: it may just be slow
            self._lost_after = min(_MOST, 2 * self._lost_after)
        self._began = self._sign = now
        self._opened, self._pictures, self._interval = False, 0, 0.0

    def begun(self, now: float) -> None:
        """The child is there and listens."""
        self._began = self._sign = now

    def alive(self, now: float) -> None:
        """Something came, though no picture."""
        self._opened, self._sign = True, now

    def picture(self, now: float) -> None:
        if self._pictures:
            gap = now - self._sign
            self._interval = gap if self._pictures == 1 else 0.9 * self._interval + 0.1 * gap
        self._opened, self._sign = True, now
        self._pictures += 1

    def is_stalled(self, now: float) -> bool:
        """Whether a new picture should have come."""
        return self._pictures > 0 and now - self._sign > self._stalled_after

    def is_lost(self, now: float) -> bool:
        """Whether waiting on makes no sense."""
        silent = now - self._sign
        if not self._opened:
            return silent > OPEN_LIMIT + self.open_limit + _GRACE
        if not self._pictures:
            return silent > self._lost_after or now - self._began > _FIRST_PICTURE + self._lost_after
        return silent > max(self._lost_after, 2 * self._stalled_after)

    @property
    def _stalled_after(self) -> float:
        return max(_STALLED, _STALLED_INTERVALS * self._interval)
