"""Heavy work in a process of its own: both ends of it.

TensorFlow takes ten seconds and a gigabyte of memory, which neither the window's process nor a server's ever
has to spend. `run_child` starts a module whose `main` is one call of `work_for_parent`. What the child is to
do comes as a line of JSON on its stdin, what it says meanwhile goes as lines to stdout, what goes wrong is
one sentence on stderr and exit code 1. It ends with its parent.
"""

import contextlib
import ctypes
import json
import logging
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import detector
from detector.errors import StudioError

logger = logging.getLogger(__name__)

_TREE = Path(detector.__file__).parent.parent
_LONGEST = 3600.0  # seconds; ten are usual
_LOOK_EVERY = 0.1  # seconds
_LAST_WORDS = 5.0  # seconds, for what it said before it ended
_PR_SET_PDEATHSIG = 1

_ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",  # Keras on JAX cannot be converted
    "CUDA_VISIBLE_DEVICES": "",  # nothing is computed on it; TensorFlow would take a GPU's memory
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


class ChildFailedError(Exception):
    """The reason in words."""


def run_child(
    module: str,
    *arguments: str,
    request: Mapping[str, Any],
    wanted: Callable[[], bool] = lambda: True,
    heard: Callable[[str], None] = lambda line: None,
) -> None:
    """Runs `python -m module arguments` to its end.

    request  what the child is to do, as JSON can say it
    wanted   asked meanwhile: False ends the child at once
    heard    is given each line the child says
    raises   ChildFailedError when it fails, takes an hour or is not wanted any more
    """
    with tempfile.TemporaryFile() as words:
        try:
            with subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                cwd=_TREE,
            ) as child:
                assert child.stdin is not None and child.stdout is not None
                lines: queue.SimpleQueue[str] = queue.SimpleQueue()
                listener = threading.Thread(target=_listen, args=(child.stdout, lines), daemon=True)
                listener.start()
                # The pipe stays open: should this process end, the child reads its end and ends too.
                with contextlib.suppress(BrokenPipeError):
                    child.stdin.write(json.dumps(request).encode() + b"\n")
                    child.stdin.flush()
                try:
                    _wait_for(child, wanted, lines, heard)
                finally:
                    child.kill()
                listener.join(_LAST_WORDS)
                _hand_on(lines, heard)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ChildFailedError(f"{error}.") from error
        words.seek(0)
        said = words.read().decode(errors="replace").strip()
    if child.returncode:
        logger.debug("%s said: %s", module, said)
        raise ChildFailedError(said.splitlines()[-1] if said else f"exit code {child.returncode}.")


def work_for_parent(work: Callable[[dict[str, Any]], None]) -> int:
    """The child's end: does what the parent asks for.

    work     is given the request
    returns  the exit code
    """
    os.environ.update(_ENVIRONMENT)
    _die_with_parent()
    try:
        request = json.loads(sys.stdin.buffer.readline())
        threading.Thread(target=_end_with_parent, daemon=True).start()
        work(request)
    except StudioError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the parent reads it
        return 1
    return 0


def say(line: str) -> None:
    """From the child to `heard` of its parent."""
    print(line, flush=True)  # noqa: T201 - the parent reads it


def _listen(stdout: IO[bytes], lines: "queue.SimpleQueue[str]") -> None:
    for line in stdout:
        lines.put(line.decode(errors="replace").rstrip("\n"))


def _wait_for(
    child: "subprocess.Popen[bytes]",
    wanted: Callable[[], bool],
    lines: "queue.SimpleQueue[str]",
    heard: Callable[[str], None],
) -> None:
    end_by = time.monotonic() + _LONGEST
    while wanted():
        _hand_on(lines, heard)
        try:
            child.wait(_LOOK_EVERY)
            return
        except subprocess.TimeoutExpired:
            if time.monotonic() > end_by:
                raise
    child.kill()  # or its last words would be waited for


def _hand_on(lines: "queue.SimpleQueue[str]", heard: Callable[[str], None]) -> None:
    with contextlib.suppress(queue.Empty):
        while True:
            heard(lines.get_nowait())


def _die_with_parent() -> None:
    """At once and by the kernel, on Linux: a thread of ours may have to wait seconds for the interpreter."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _end_with_parent() -> None:
    """The parent keeps our stdin open while it lives; nobody is left to wait for the work after that."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)
