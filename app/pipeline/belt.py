"""A bounded queue between two stages, which either end can stop."""

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Abandoned(Exception):  # noqa: N818  not an error: nobody takes from the belt any more
    pass


class Belt(Generic[T]):
    """Things in order from one thread to one other; full when it holds enough of them or enough bytes.

    Marks between them have no size: they always fit, are never dropped, and travel with the things.

    The queue of the standard library knows neither bytes nor an end (before Python 3.13), and a stage that
    waits for room in front of a dead one would wait for ever.
    """

    def __init__(self, *, items: int, size: int) -> None:
        self._limit, self._size_limit = items, size
        self._held: deque[tuple[T, int]] = deque()
        self._size = 0
        self._things = 0  # without the marks
        self._wanted = 0  # the size of what waits for room
        self._closed = self._abandoned = False
        self._changed = threading.Condition()

    def put(self, thing: T, size: int = 0) -> None:
        """Waits for room. Anything fits on an empty belt.

        size    bytes it keeps in memory; 0 for a mark
        raises  Abandoned
        """
        with self._changed:
            self._wanted = size
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._abandoned or self._has_room(size))
            self._wanted = 0
            self._append(thing, size)

    def put_newest(self, thing: T, size: int) -> int:
        """Never waits: the oldest makes room. Returns how many were dropped.

        raises  Abandoned
        """
        with self._changed:
            dropped = 0
            while not self._abandoned and not self._has_room(size):
                oldest = next(index for index, (_, held) in enumerate(self._held) if held)
                self._size -= self._held[oldest][1]
                self._things -= 1
                del self._held[oldest]
                dropped += 1
            self._append(thing, size)
            return dropped

    def take(self, at_most: int) -> list[T]:
        """That many things, or fewer at the end and where the belt cannot hold so many; waits for them.

        returns  with the marks before and between them; an empty list at the end
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._things >= at_most or self._closed or not self._has_room(self._wanted)
            )
            return self._take(at_most)

    def take_now(self, at_most: int) -> list[T]:
        """What is there, at most that many; waits only for the first. An empty list at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._held or self._closed)
            return self._take(at_most)

    def close(self) -> None:
        """No more will be put; what lies on the belt can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """No more will be taken; what lies on the belt is dropped."""
        with self._changed:
            self._closed = self._abandoned = True
            self._held.clear()
            self._changed.notify_all()

    def _has_room(self, size: int) -> bool:
        fits = self._things < self._limit and self._size + size <= self._size_limit
        return fits or not size or not self._things

    def _append(self, thing: T, size: int) -> None:
        if self._abandoned:
            raise Abandoned
        self._held.append((thing, size))
        self._size += size
        self._things += size > 0
        self._changed.notify_all()

    def _take(self, at_most: int) -> list[T]:
        taken: list[T] = []
        things = 0
        while self._held and (things < at_most or not self._held[0][1]):
            thing, size = self._held.popleft()
            taken.append(thing)
            self._size -= size
            self._things -= size > 0
            things += size > 0
        self._changed.notify_all()
        return taken
