"""Ctrl-C that ends the work in order."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType


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
