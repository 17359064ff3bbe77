"""What must be done beside the writing of a recording, and may take its time: two threads."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from app.recording import RecordingResult
from app.recording.clip import Clip
from app.recording.disk import free_bytes, room_words, seconds_left, size_words
from app.recording.finishing import check_room, finish
from app.recording.part_file import reason
from app.recording.plan import RecordingPlan
from app.recording.quota import Tidying
from detector.errors import RecordingError

logger = logging.getLogger(__name__)

_SYNC_EVERY = 2.5  # seconds: a power cut costs 5 at most, and the disk needs some of them
_LOOK_EVERY = 1.0
_TIDY_EVERY = 3600.0  # also where no clip ends: what is too old goes while a camera sees nothing, or is gone


class Upkeep:
    """Brings what was written to the disk, watches the room there, finishes closed clips, keeps the quota.

    clip     the one that is written now
    rate     frames/s of the source, for the length of the last frame
    stop     called with a sentence when the recording must end because there is no room
    changed  called when there is something new
    """

    def __init__(
        self,
        folder: Path,
        plan: RecordingPlan,
        *,
        clip: Callable[[], Clip | None],
        rate: Callable[[], float | None],
        stop: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        self._folder, self._plan = folder, plan
        self._clip, self._rate, self._stop, self._changed = clip, rate, stop, changed
        self._tidying = Tidying(folder, plan.quota) if plan.quota.size or plan.quota.age else None
        self._condition = threading.Condition()  # guards what follows
        self._closed: deque[Clip] = deque()
        self._files: list[RecordingResult] = []
        self._troubles: list[str] = []
        self._untidy = ""
        self._free: int | None = None
        self._ending = False
        # daemons: what is not finished plays as it is, and is finished at the next start
        self._threads = [
            threading.Thread(target=self._finish_all, name=f"finish in {folder.name}", daemon=True),
            threading.Thread(target=self._watch, name=f"sync in {folder.name}", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def files(self) -> tuple[RecordingResult, ...]:
        """Finished so far."""
        with self._condition:
            return tuple(self._files)

    @property
    def trouble(self) -> str:
        """Why a clip could not be finished, the first time; empty when all is well."""
        with self._condition:
            return self._troubles[0] if self._troubles else ""

    def closed(self, clip: Clip) -> None:
        """Nothing more is written to it."""
        with self._condition:
            self._closed.append(clip)
            self._condition.notify_all()

    def end(self) -> None:
        """No further clips come; those that did are finished."""
        with self._condition:
            self._ending = True
            self._condition.notify_all()

    def wait(self) -> None:
        """Until all are finished."""
        self._threads[0].join()

    def room_left(self, bytes_per_second: float | None) -> tuple[float | None, str]:
        """Seconds until the disk is full at this rate, None where nobody can tell; and a warning or ""."""
        with self._condition:
            free, untidy = self._free, self._untidy
        if free is None:
            return None, untidy
        limits = self._plan.limits
        return seconds_left(free, limits, bytes_per_second), room_words(
            free, limits, bytes_per_second
        ) or untidy

    def _watch(self) -> None:
        synced = time.monotonic()
        while True:
            free, limits = free_bytes(self._folder), self._plan.limits
            with self._condition:
                self._free = free
            if free is not None and free < limits.stop:
                self._stop(
                    f"Recording has ended: only {size_words(free)} are free on the disk of {self._folder}; "
                    "what was recorded plays. Make room or choose another folder."
                )
                return
            now = time.monotonic()
            if now - synced >= _SYNC_EVERY and (clip := self._clip()) is not None:
                clip.sync()
                synced = now
            with self._condition:
                if self._condition.wait_for(lambda: self._ending, _LOOK_EVERY):
                    return

    def _finish_all(self) -> None:
        while True:
            self._tidy()
            with self._condition:
                if not self._condition.wait_for(lambda: self._closed or self._ending, _TIDY_EVERY):
                    continue
                if not self._closed:
                    return
                clip = self._closed.popleft()
            try:
                self._finish(clip)
            except RecordingError as error:
                self._complain(str(error))
            except Exception as error:  # the thread's top: it becomes a sentence
                logger.exception("finishing %s failed", clip.path)
                self._complain(f"{clip.part} could not be finished ({type(error).__name__}); it plays.")
            finally:
                clip.let_go()
            self._changed()

    def _finish(self, clip: Clip) -> None:
        if not clip.ticks:
            return
        check_room(clip.part, clip.size, self._plan.limits)
        result = finish(clip.part, clip.path, clip.ticks, rate=self._rate(), force=self._plan.force)
        with self._condition:
            self._files.append(result)

    def _tidy(self) -> None:
        if self._tidying is None:
            return
        clip, untidy = self._clip(), ""
        try:
            self._tidying.tidy(spared=[clip.path] if clip else [])
        except OSError as error:
            untidy = f"The quota of {self._folder} could not be kept ({reason(error)})"
        except Exception as error:  # the clips that follow must be finished all the same
            logger.exception("tidying %s failed", self._folder)
            untidy = f"The quota of {self._folder} could not be kept ({type(error).__name__})"
        with self._condition:
            before, self._untidy = self._untidy, untidy
        if untidy != before:
            if untidy:
                logger.warning("%s", untidy)
            self._changed()

    def _complain(self, sentence: str) -> None:
        logger.warning("%s", sentence)
        with self._condition:
            self._troubles.append(sentence)
