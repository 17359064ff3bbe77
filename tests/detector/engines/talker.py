"""A child for tests: says as many lines as it is asked for, and fails where it is told to."""

import sys
import threading
from typing import Any

from detector.engines.child_process import say, work_for_parent
from detector.errors import EngineError


def work(request: dict[str, Any]) -> None:
    for number in range(request["lines"]):
        say(str(number))
    if request["then"] == "fail":
        raise EngineError("It went wrong.")
    if request["then"] == "wait":
        threading.Event().wait()


if __name__ == "__main__":
    sys.exit(work_for_parent(work))
