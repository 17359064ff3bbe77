"""A belt between two threads: in order, bounded, and never a reason to wait for ever."""

import threading
from collections.abc import Callable

import pytest

from app.pipeline.belt import Abandoned, Belt


class Background:
    """Something done in a thread, so that waiting can be seen."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.raised: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(act,), daemon=True)
        self._thread.start()

    def _run(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Abandoned as error:
            self.raised = error

    def ends(self) -> bool:
        self._thread.join(5)
        return not self._thread.is_alive()

    def waits(self) -> bool:
        self._thread.join(0.1)
        return self._thread.is_alive()


def test_things_come_in_order_and_then_the_end() -> None:
    belt: Belt[int] = Belt(items=10, size=100)
    for number in range(5):
        belt.put(number, 1)
    belt.close()
    assert (belt.take(3), belt.take(3), belt.take(3)) == ([0, 1, 2], [3, 4], [])


@pytest.mark.parametrize(("items", "size"), [(3, 1000), (1000, 30)])
def test_a_full_belt_makes_the_giver_wait_until_something_is_taken(items: int, size: int) -> None:
    belt: Belt[int] = Belt(items=items, size=size)
    for number in range(3):
        belt.put(number, 10)
    giver = Background(lambda: belt.put(3, 10))
    assert giver.waits()
    assert belt.take_now(1) == [0]
    assert giver.ends()


def test_marks_always_fit_and_travel_with_the_things() -> None:
    belt: Belt[str] = Belt(items=2, size=100)
    for thing, size in [("begin", 0), ("a", 10), ("end", 0), ("begin", 0), ("b", 10), ("end", 0)]:
        belt.put(thing, size)
    assert belt.take(1) == ["begin", "a", "end", "begin"]
    assert belt.take(1) == ["b", "end"]


def test_a_thing_larger_than_the_belt_still_passes() -> None:
    belt: Belt[int] = Belt(items=3, size=10)
    belt.put(1, 1000)
    assert belt.take(1) == [1]


def test_a_taker_of_more_than_fits_gets_what_there_is() -> None:
    belt: Belt[int] = Belt(items=100, size=25)
    giver = Background(lambda: [belt.put(number, 10) for number in range(3)])
    assert belt.take(8) == [0, 1]
    assert giver.ends()


def test_the_newest_pushes_out_the_oldest_but_never_a_mark_between() -> None:
    belt: Belt[object] = Belt(items=3, size=1000)
    assert belt.put_newest(0, 10) == 0
    belt.put("mark")
    assert [belt.put_newest(number, 10) for number in (1, 2, 3)] == [0, 0, 1]
    belt.close()
    assert belt.take(9) == ["mark", 1, 2, 3]


def test_an_abandoned_belt_frees_whoever_waits_for_room_and_takes_no_more() -> None:
    belt: Belt[int] = Belt(items=1, size=10)
    belt.put(0, 10)
    giver = Background(lambda: belt.put(1, 10))
    assert giver.waits()
    belt.abandon()
    assert giver.ends()
    assert isinstance(giver.raised, Abandoned)
    with pytest.raises(Abandoned):
        belt.put_newest(2, 10)
    assert belt.take(1) == []


def test_the_end_frees_whoever_waits_for_more() -> None:
    belt: Belt[int] = Belt(items=5, size=10)
    taker = Background(lambda: belt.take(1))
    assert taker.waits()
    belt.close()
    assert taker.ends()
