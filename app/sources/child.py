"""The decoding child: a process of its own that reads one source after the other and can die without harm.

Started by `app.sources.decoder`. It loads the reader that a request names, and nothing that reader does not
need. When the program ends, however that comes about, the standard input ends, and the child with it.
"""

import base64
import importlib
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from app.sources.packets import StreamFormat
from app.sources.ring import Memory, Ring
from app.sources.source import LostError
from app.sources.wire import PACKET, SHOT, Channel, HungUp, Kind, from_json
from detector.errors import SourceError
from detector.values import Pixels

_PATIENCE = 0.005  # seconds a picture may wait for the next ones: together they wake the program once


class Stopped(Exception):  # noqa: N818  not an error: nobody wants more of this source
    pass


class Output:
    """What a reader says, and hears, while it reads. Its methods raise Stopped when no more is wanted."""

    def __init__(self, channel: Channel, memory: Memory) -> None:
        self._channel = channel
        self._ring = Ring(memory)
        self._free: list[int] = []
        self._generation = 0
        self._seek: tuple[float, bool] | None = None
        self._flushed_at = 0.0
        self._live = False

    def opened(
        self,
        *,
        live: bool = False,
        seekable: bool = False,
        duration: float | None = None,
        rate: float | None = None,
        words: str = "",
    ) -> None:
        """As the attributes of Source. words: what was granted, for cameras."""
        self._live = live
        self._channel.send_json(
            Kind.OPENED, live=live, seekable=seekable, duration=duration, rate=rate, words=words
        )

    def picture(self, pts: float, height: int, width: int, fill: Callable[[Pixels], None]) -> None:
        """One picture, in the order of showing; waits until there is room for it.

        fill  writes it into (height, width, 3) uint8, BGR, upright
        """
        generation, size = self._generation, 3 * height * width  # a seek heard of from here on makes it old
        self._listen_to_all()
        if not self._ring.fits(size):
            while len(self._free) < self._ring.slots:
                self._listen(None)
            self._ring.lay_out(size)
            self._free = list(range(self._ring.slots))
            self._channel.send_json(Kind.RING, slots=self._ring.slots, slot_size=self._ring.slot_size)
        while not self._free:
            self._listen(None)
        slot = self._free[-1]
        fill(self._ring.view(slot, height, width))
        self._free.pop()
        now = time.monotonic()
        self._channel.post(Kind.SHOT, SHOT.pack(generation, slot, height, width, pts, now))
        if 2 * len(self._free) <= self._ring.slots or self._live or now - self._flushed_at > _PATIENCE:
            self._channel.flush()
            self._flushed_at = now

    def copy(self, pts: float, pixels: Pixels) -> None:
        """One picture that exists already."""
        height, width = pixels.shape[:2]
        self.picture(pts, height, width, lambda into: np.copyto(into, pixels))

    def stream_format(self, form: StreamFormat) -> None:
        self._channel.send_json(
            Kind.FORMAT,
            codec=form.codec,
            extradata=base64.b64encode(form.extradata).decode(),
            width=form.width,
            height=form.height,
            time_base=[form.time_base.numerator, form.time_base.denominator],
        )

    def packet(self, pts: float, dts: float, keyframe: bool, content: bytes) -> None:
        """Before the picture with this `pts`."""
        self._channel.send(Kind.PACKET, PACKET.pack(pts, dts, keyframe) + content)
        self._listen_to_all()

    def alive(self) -> None:
        """Something came, though no picture yet."""
        self._channel.send(Kind.ALIVE)
        self._listen_to_all()

    def searching(self) -> None:
        """The next picture is still being looked for."""
        self._channel.send(Kind.SEARCHING)
        self._listen_to_all()

    def place(self, name: str, **place: Any) -> None:
        """The pictures that follow are of the file of this name; `place` is what a request to go on gets."""
        self._channel.send_json(Kind.PLACE, name=name, place=place)

    def note(self, sentence: str) -> None:
        self._channel.send_json(Kind.NOTE, sentence=sentence)

    def take_seek(self) -> tuple[float, bool] | None:
        """(seconds, before) of the newest seek, once; see `Source.seek`."""
        seek, self._seek = self._seek, None
        return seek

    def read(self, content: bytes) -> None:
        """Obeys one request to its end."""
        request = from_json(content)
        self._generation, self._seek = request["generation"], None
        self._channel.send(Kind.BEGUN)
        try:
            reader = importlib.import_module(request["reader"])
            sentence = reader.read(self, **request["arguments"])
            self._channel.send_json(Kind.ENDED, sentence=sentence, generation=self._generation)
        except Stopped:
            self._channel.send_json(Kind.ENDED, sentence="", generation=self._generation)
        except LostError as error:
            self._channel.send_json(Kind.FAILED, sentence=str(error), state=error.state.name, wait=error.wait)
        except SourceError as error:
            self._channel.send_json(Kind.FAILED, sentence=str(error), state="FAILED", wait=None)
        except HungUp:
            raise
        except Exception as error:  # noqa: BLE001  the top of a reader: it becomes a state, the log says more
            self.note(traceback.format_exc())
            self._channel.send_json(Kind.FAILED, sentence="", state=type(error).__name__, wait=None)

    def serve(self) -> None:
        """Obeys requests until the program closes the channel.

        raises  HungUp
        """
        while True:
            message = self._channel.receive(None)
            assert message is not None
            if message[0] is Kind.OPEN:
                self.read(message[1])
            elif message[0] is Kind.TAKEN:  # of the request before
                self._free += message[1]

    def _listen_to_all(self) -> None:
        while self._listen(0.0):
            pass

    def _listen(self, timeout: float | None) -> bool:
        """Whether the program had said something."""
        if timeout is None:
            self._channel.flush()
        if (message := self._channel.receive(timeout)) is None:
            return False
        match message:
            case Kind.TAKEN, content:
                self._free += content
            case Kind.SEEK, content:
                seek = from_json(content)
                self._generation, self._seek = seek["generation"], (seek["seconds"], seek["before"])
            case Kind.STOP, _:
                raise Stopped
        return True


def main() -> None:
    channel = Channel(_inherited(sys.argv[1]))
    threading.Thread(target=_end_with_the_program, daemon=True).start()
    try:
        Output(channel, Memory(sys.argv[2])).serve()
    except HungUp:
        os._exit(0)


def _inherited(connection: str) -> socket.socket:
    if connection == "stdin":  # Windows: sockets cannot be inherited there
        share = getattr(socket, "fromshare")  # noqa: B009  the attribute exists on Windows only
        return share(base64.b64decode(sys.stdin.buffer.readline()))  # type: ignore[no-any-return]
    return socket.socket(fileno=int(connection))


def _end_with_the_program() -> None:
    """A read that never returns must not keep the child alive: hence a thread, and no orderly exit."""
    while os.read(0, 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
