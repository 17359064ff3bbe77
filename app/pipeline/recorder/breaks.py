"""When a live recording goes on after a picture that could not be written."""

import logging
import time

from app.recording.clip import CodingError
from app.sources.reconnecting import Backoff

logger = logging.getLogger(__name__)

_SURE = 1.0  # seconds: an encoder takes some pictures before the first has to be written


class Breaks:
    """As with a camera that was lost, each attempt that fails is followed by a longer rest.

    name      of the source
    sentence  what is wrong and when it goes on; empty while all is well
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.sentence = ""
        self._backoff = Backoff()
        self._well_since: float | None = None
        self._until = 0.0

    @property
    def resting(self) -> bool:
        return time.monotonic() < self._until

    @property
    def worked(self) -> bool:
        """Whether a picture was ever taken."""
        return self._well_since is not None

    def went_well(self) -> None:
        """A picture was taken."""
        now = time.monotonic()
        if self._well_since is None or (self.sentence and now > self._until + _SURE):
            self.sentence, self._well_since = "", now

    def begin(self, error: CodingError) -> None:
        """Nothing is to be written for a while."""
        now = time.monotonic()
        well_for = now - self._well_since if self._well_since and not self.sentence else 0.0
        wait = self._backoff.next_wait(well_for)
        self._until = now + wait
        if not self.sentence:  # not each attempt, for weeks
            logger.warning("%s: %s", self._name, error)
        self.sentence = f"{str(error).rstrip('.')}; a new clip begins in {wait:.0f} s"
