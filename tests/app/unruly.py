"""Readers in the decoding child that do what damaged files and dead drivers make decoders do."""

import ctypes
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from app.sources.child import Output
from app.sources.wire import SHOT, Kind
from tests.app.videos import numbered_picture


def read(out: Output, *, path: str, start: float = 0.0, after: float | None = None, **_: Any) -> str:
    """Ten pictures a second apart; what happens at the fifth stands in the file. The second may wait for a
    file PATH.go.
    """
    what = Path(path).read_text()
    out.opened(seekable=True, duration=10.0, rate=1.0)
    first = 0 if after is None else int(after) + 1
    for number in range(max(first, int(start)), 10):
        while number == 1 and what == "wait, then crash" and not Path(f"{path}.go").exists():
            out._channel.flush()
            time.sleep(0.01)
        if number == 5:
            out._channel.flush()  # a picture may wait 5 ms for the next ones, and would end with the child
            _misbehave(out, what, again=after is not None)
        out.copy(float(number), np.ascontiguousarray(numbered_picture(number)))
    return "End"


def _misbehave(out: Output, what: str, *, again: bool) -> None:
    if what in ("crash", "wait, then crash") or (what == "crash once" and not again):
        ctypes.string_at(0)
    if what == "hang":
        with threading.Lock() as lock:
            assert lock
            threading.Event().wait()
    if what.startswith("say "):
        print(what.removeprefix("say "), file=sys.stderr, flush=True)
    if what == "defect":
        raise RuntimeError("rtsp://cam:hunter2@10.0.0.5/live")
    if what == "nonsense":
        out._channel._socket.sendall(b"?" + bytes(100))
    if what == "too far":
        out._channel.send(Kind.SHOT, SHOT.pack(out._generation, 199, 96, 192, 5.0, 0.0))
    if what == "exit":
        ctypes.CDLL(None)._exit(3)
