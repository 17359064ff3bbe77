"""Heavy work in a process of its own: what it says arrives whole, and it ends when nobody wants it."""

import pytest

from detector.engines.child_process import ChildFailedError, run_child

TALKER = "tests.detector.engines.talker"


def test_every_line_is_heard_to_the_last() -> None:
    heard: list[str] = []
    run_child(TALKER, request={"lines": 3000, "then": "end"}, heard=heard.append)
    assert heard == [str(number) for number in range(3000)]


def test_a_failure_arrives_as_its_sentence() -> None:
    with pytest.raises(ChildFailedError, match=r"^It went wrong\.$"):
        run_child(TALKER, request={"lines": 0, "then": "fail"})


def test_work_that_nobody_wants_any_more_is_ended() -> None:
    heard: list[str] = []
    with pytest.raises(ChildFailedError, match="exit code"):
        run_child(TALKER, request={"lines": 1, "then": "wait"}, heard=heard.append, wanted=lambda: not heard)
    assert heard == ["0"]
