"""Honest figures of a live view: rates count different frames, ages are measured where they are claimed."""

import math
import statistics
import threading
from collections import deque
from dataclasses import dataclass

import cv2

from detector.values import Frame

RATE_WINDOW = 2.0  # seconds
AGE_WINDOW = 5.0  # seconds
GAP_WINDOW = 60.0  # seconds
_TYPICAL = 31  # intervals: one long wait among them must not count as usual
_REMEMBERED = 256  # frames whose arrival is kept until they are painted


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Rates per second over the last 2 s, times in milliseconds over the last 5 s (None before the first).

    captured   frames taken from the source
    unique     of these, how many differ from the one before (a lossy stream repeats pictures)
    detected   finished detections on different frames
    shown      different frames painted
    written    frames recorded
    infer_ms   (median, 95th percentile) of one detection
    age_ms     likewise, from a frame's arrival to its painting
    box_age_ms age of the frame whose boxes are shown, at painting
    undetected, unrecorded, unshown   frames that this stage never saw, since the start
    gap        longest time without a frame within the last minute, seconds
    """

    captured: float = 0.0
    unique: float = 0.0
    detected: float = 0.0
    shown: float = 0.0
    written: float = 0.0
    infer_ms: tuple[float, float] | None = None
    age_ms: tuple[float, float] | None = None
    box_age_ms: tuple[float, float] | None = None
    undetected: int = 0
    unrecorded: int = 0
    unshown: int = 0
    gap: float = 0.0


class Recent:
    """Values of the last seconds."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._entries: deque[tuple[float, float]] = deque(maxlen=4096)
        self._began: float | None = None

    def add(self, now: float, value: float = 0.0) -> None:
        if self._began is None:
            self._began = now
        self._entries.append((now, value))

    def per_second(self, now: float) -> float:
        """How often `add` was called, per second; falls to 0 when the calls cease."""
        self._forget(now)
        if self._began is None:
            return 0.0
        return len(self._entries) / min(self._window, max(now - self._began, 0.5))

    def median_and_p95(self, now: float) -> tuple[float, float] | None:
        self._forget(now)
        if not self._entries:
            return None
        values = sorted(value for _, value in self._entries)
        return values[(len(values) - 1) // 2], values[math.ceil(0.95 * len(values)) - 1]

    def most(self, now: float) -> float:
        self._forget(now)
        return max((value for _, value in self._entries), default=0.0)

    def _forget(self, now: float) -> None:
        while self._entries and self._entries[0][0] < now - self._window:
            self._entries.popleft()


class Measure:
    """Collects what the stages report. Thread-safe; `now` is monotonic seconds everywhere."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._captured, self._unique = Recent(RATE_WINDOW), Recent(RATE_WINDOW)
        self._detected, self._shown = Recent(RATE_WINDOW), Recent(RATE_WINDOW)
        self._infer, self._age, self._box_age = Recent(AGE_WINDOW), Recent(AGE_WINDOW), Recent(AGE_WINDOW)
        self._arrivals: deque[tuple[int, float, int]] = deque(maxlen=_REMEMBERED)  # sequence, time, ordinal
        self._count = 0
        self._thumbnail = b""
        self._gaps = Recent(GAP_WINDOW)
        self._last_arrival: float | None = None
        self._interrupted = False
        self._intervals: deque[float] = deque(maxlen=_TYPICAL)  # the last seconds between frames
        self._last_detected = self._last_shown = -1  # sequence
        self._last_shown_ordinal: int | None = None
        self._undetected = self._unrecorded = self._unshown = 0
        self._written: deque[tuple[float, int]] = deque()  # time, frames so far

    def captured(self, frame: Frame) -> None:
        """A frame has come."""
        # 0.006 ms at 1080p: two frames with one thumbnail are one picture sent twice (viewer facts 2.9)
        thumbnail = cv2.resize(frame.pixels, (32, 18), interpolation=cv2.INTER_LINEAR).tobytes()
        now = frame.captured_at
        with self._lock:
            self._captured.add(now)
            if thumbnail != self._thumbnail:
                self._unique.add(now)
            self._thumbnail = thumbnail
            if self._last_arrival is not None and not self._interrupted:
                interval = now - self._last_arrival
                self._gaps.add(now, interval)
                self._intervals.append(interval)
            self._last_arrival, self._interrupted = now, False
            self._count += 1
            self._arrivals.append((frame.sequence, now, self._count))

    def interrupted(self) -> None:
        """The next frame comes after a pause or a seek: the time in between is no gap."""
        with self._lock:
            self._interrupted = True

    def silence(self, now: float) -> tuple[float, float]:
        """Seconds since the last frame, and how long that usually takes; 0 before the first."""
        with self._lock:
            usual = statistics.median(self._intervals) if self._intervals else 0.0
            return now - (self._last_arrival or now), usual

    def detected(self, sequence: int, seconds: float, now: float, *, left_out: int) -> None:
        """A detection has ended; `left_out` frames came since the one before and were never looked at."""
        with self._lock:
            self._infer.add(now, seconds * 1000)
            self._undetected += left_out
            if sequence != self._last_detected:
                self._detected.add(now)
                self._last_detected = sequence

    def unrecorded(self) -> None:
        with self._lock:
            self._unrecorded += 1

    def written(self, frames: int, now: float) -> None:
        """So many frames have been recorded so far; fewer than before are those of another recording."""
        with self._lock:
            written = self._written
            if written and frames < written[-1][1]:
                written.clear()
            written.append((now, frames))
            while len(written) > 1 and written[1][0] < now - RATE_WINDOW:  # one from before the window stays
                written.popleft()

    def shown(self, sequence: int, now: float, boxes_arrived: float | None) -> None:
        """A frame was painted, with boxes computed on a frame that had arrived at `boxes_arrived`."""
        with self._lock:
            if sequence == self._last_shown:
                return
            self._last_shown = sequence
            self._shown.add(now)
            for known, arrived, ordinal in self._arrivals:
                if known == sequence:
                    self._age.add(now, (now - arrived) * 1000)
                    if self._last_shown_ordinal is not None:
                        self._unshown += max(0, ordinal - self._last_shown_ordinal - 1)
                    self._last_shown_ordinal = ordinal
            if boxes_arrived is not None:
                self._box_age.add(now, (now - boxes_arrived) * 1000)

    def figures(self, now: float) -> Figures:
        with self._lock:
            return Figures(
                captured=self._captured.per_second(now),
                unique=self._unique.per_second(now),
                detected=self._detected.per_second(now),
                shown=self._shown.per_second(now),
                written=self._per_second_written(),
                infer_ms=self._infer.median_and_p95(now),
                age_ms=self._age.median_and_p95(now),
                box_age_ms=self._box_age.median_and_p95(now),
                undetected=self._undetected,
                unrecorded=self._unrecorded,
                unshown=self._unshown,
                gap=self._gaps.most(now),
            )

    def _per_second_written(self) -> float:
        if len(self._written) < 2:
            return 0.0
        (began, before), (now, after) = self._written[0], self._written[-1]
        return (after - before) / max(now - began, 0.5)
