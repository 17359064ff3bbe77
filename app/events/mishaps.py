"""What goes wrong with one event: it is said once, and is not the end of those that follow."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from app.recording.part_file import reason
from detector.errors import StudioError

logger = logging.getLogger(__name__)


class Mishaps:
    """Of one place where events pass; a camera sees thousands of them a day, and a full disk them all."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    @contextmanager
    def of(self, what: str) -> Iterator[None]:
        """Whatever is raised within ends there. what: the beginning of the sentence that is said then"""
        try:
            yield
        except StudioError as error:
            self.say_once(f"{what}: {error}")
        except OSError as error:
            self.say_once(f"{what}: {reason(error)}.")
        except Exception as error:  # noqa: BLE001 - a defect must not end a thread that is needed for weeks
            self.say_once(f"{what}: {type(error).__name__}; the log says more.", error)

    def say_once(self, sentence: str, error: Exception | None = None) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            logger.warning("%s", sentence, exc_info=error)
