"""What waits to be recorded."""

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Intake(Generic[T]):
    """Things of several kinds in order, from any thread to one; each kind has room of its own.

    patient  whether who finds no room waits for it
    """

    def __init__(self, *, patient: bool) -> None:
        self._patient = patient
        self._held: deque[T] = deque()
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._held)

    @property
    def closed(self) -> bool:
        return self._closed

    def put(self, thing: T, most: int | None = None) -> bool:
        """Whether it is taken.

        most  of its kind that may wait with it; None: any number
        """
        with self._changed:
            if self._patient:
                self._changed.wait_for(lambda: self._closed or self._has_room(thing, most))
            if self._closed or not self._has_room(thing, most):
                return False
            self._held.append(thing)
            self._changed.notify_all()
            return True

    def __iter__(self) -> Iterator[tuple[T, int]]:
        """Each thing, and how many still wait behind it; ends when it is closed and empty."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._held or self._closed)
                if not self._held:
                    return
                thing, waiting = self._held.popleft(), len(self._held)
                self._changed.notify_all()
            yield thing, waiting

    def close(self) -> None:
        """Nothing more is taken; what waits is still given."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def clear(self) -> None:
        """What waits is wanted no more, and nothing else either."""
        with self._changed:
            self._held.clear()
        self.close()

    def _has_room(self, thing: T, most: int | None) -> bool:
        return most is None or sum(isinstance(each, type(thing)) for each in self._held) < most
