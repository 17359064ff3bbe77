"""Ctrl-C that ends the work in order."""

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


@contextmanager
def stopped_by(signals: Sequence[signal.Signals], stop: Callable[[], None]) -> Iterator[list[int]]:
    """The first of these signals calls `stop`, a second ends the program at once. Gives those that came."""
    came: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1:
            raise KeyboardInterrupt
        stop()

    before = {number: signal.signal(number, handle) for number in signals}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_at_once(code: int) -> NoReturn:
    """For when a thread is caught in a call of a library: an orderly exit would abort in that (code -6)."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # nobody reads it any more
            stream.flush()
    os._exit(code)
