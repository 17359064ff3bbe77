"""Decoding outside this process: a file can corrupt the heap of a decoder, and a read may never return.

A `Decoder` is a child process that reads one source at a time (`app.sources.child`). Its crash is an
exception here, and it can be ended in the middle of anything. A healthy one is kept for the source that comes
next, since a start takes a fifth of a second.
"""

import atexit
import base64
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.redaction import redact
from app.sources.packets import Packet, StreamFormat
from app.sources.ring import Memory, Ring
from app.sources.told import Alive, Begun, Ended, Event, Failed, Opened, Place, Shot
from app.sources.wire import PACKET, SHOT, Channel, HungUp, Kind, Nonsense, from_json

logger = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parents[2]
_PARTING = 0.25  # seconds a child may take to let go of a source; then it is ended
_LARGEST_KEPT = 64 * 2**20  # bytes of pictures a child that waits may hold
_WORDS_KEPT = 30  # lines: a crash says less than that of where it was


class CrashedError(Exception):
    """The child has died, or speaks nonsense. Message: what of, in a few words."""


class Decoder:
    """One child and what it reads now; used by one thread at a time."""

    def __init__(self) -> None:
        """Returns at once; the child starts meanwhile."""
        self._memory = Memory()
        self._ring = Ring(self._memory)
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        with theirs:
            try:
                self._process = _spawn(theirs, self._memory)
            except BaseException:
                self._channel.close()
                self._memory.close()
                raise
        self._ended = False
        self._generation = 0
        self._taken: list[int] = []  # slots that are free again, which the child does not know yet
        self._reading = False
        self._last_words: deque[str] = deque(maxlen=_WORDS_KEPT)
        self._words = threading.Thread(target=self._log_words, name="decoder's words", daemon=True)
        self._words.start()

    def begin(self, reader: str, arguments: Mapping[str, Any]) -> None:
        """Reads a source.

        reader     a module of `app.sources.readers`
        arguments  of its `read`; they may hold a password
        raises     CrashedError
        """
        self._generation += 1
        self._reading = True
        self._tell(Kind.OPEN, generation=self._generation, reader=reader, arguments=arguments)

    def seek(self, seconds: float, *, before: bool) -> None:
        """Pictures that were read before this are not handed on any more.

        raises  CrashedError
        """
        self._generation += 1
        self._tell(Kind.SEEK, generation=self._generation, seconds=seconds, before=before)

    def receive(self, timeout: float) -> Event | None:
        """What happens next; None when nothing does within so many seconds.

        raises  CrashedError
        """
        try:
            while (message := self._next(timeout)) is not None:
                if (event := self._understood(*message)) is not None:
                    return event
            return None
        except HungUp as error:
            raise CrashedError(self._cause_of_death()) from error
        except (Nonsense, KeyError, TypeError, ValueError, ArithmeticError) as error:
            self.end()
            raise CrashedError("it speaks nonsense") from error

    def let_go(self) -> None:
        """No more is wanted of this source. Afterwards it is ended, or kept for the next one."""
        if self._ended:
            return
        parted = not self._reading or self._has_parted()
        if not (parted and self._ring.size <= _LARGEST_KEPT and _keep(self)):
            self.end()

    def end(self) -> None:
        """At once, whatever it is doing."""
        self._ended = True
        self._process.kill()
        self._process.wait()
        self._channel.close()
        self._memory.close()
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    @property
    def process_id(self) -> int:
        return self._process.pid

    def _has_parted(self) -> bool:
        """Whether it let go of its source when asked to."""
        deadline = time.monotonic() + _PARTING
        try:
            self._tell(Kind.STOP)
            while self._reading and (left := deadline - time.monotonic()) > 0:
                self.receive(left)
        except CrashedError:
            pass
        return not (self._reading or self._ended)

    def _tell(self, kind: Kind, **content: Any) -> None:
        try:
            self._channel.send_json(kind, **content)
        except HungUp as error:
            raise CrashedError(self._cause_of_death()) from error

    def _understood(self, kind: Kind, content: bytes) -> Event | None:
        """None for what only concerns this class, and for what a seek has made old."""
        match kind:
            case Kind.SHOT:
                return self._shot(content)
            case Kind.PACKET:
                pts, dts, keyframe = PACKET.unpack_from(content)
                return Packet(content[PACKET.size :], pts, dts, keyframe)
            case Kind.BEGUN:
                return Begun()
            case Kind.ALIVE | Kind.SEARCHING:
                return Alive(searching=kind is Kind.SEARCHING)
        told = from_json(content)
        match kind:
            case Kind.RING:
                self._ring.follow(told["slots"], told["slot_size"])
            case Kind.NOTE:
                logger.warning("%s", redact(told["sentence"]))
            case Kind.PLACE:
                return Place(told["name"], told["place"])
            case Kind.OPENED:
                return Opened(**told)
            case Kind.FORMAT:
                told["extradata"] = base64.b64decode(told["extradata"])
                return StreamFormat(**told | {"time_base": Fraction(*told["time_base"])})
            case Kind.ENDED:
                self._reading = False
                return Ended(told["sentence"], sought=told["generation"] == self._generation)
            case Kind.FAILED:
                self._reading = False
                return Failed(**told)
            case _:
                raise Nonsense(f"a message {kind}")
        return None

    def _shot(self, content: bytes) -> Shot | None:
        generation, slot, height, width, pts, captured_at = SHOT.unpack(content)
        shot = None
        if generation == self._generation:
            # A copy (0.5 ms for 1080p): the slot is written anew while somebody still looks at the frame.
            shot = Shot(self._ring.view(slot, height, width).copy(), pts, captured_at)
        self._taken.append(slot)
        if 2 * len(self._taken) >= self._ring.slots:
            self._return_slots()
        return shot

    def _next(self, timeout: float) -> tuple[Kind, bytes] | None:
        if (message := self._channel.held()) is not None:
            return message
        with contextlib.suppress(HungUp):  # what it said before it went is still to be heard
            self._return_slots()
        return self._channel.receive(timeout)

    def _return_slots(self) -> None:
        """Several at a time while pictures come faster than they are wanted: the child is woken less."""
        if self._taken:
            self._channel.send(Kind.TAKEN, bytes(self._taken))
            self._taken.clear()

    def _cause_of_death(self) -> str:
        try:
            code = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            code = 0
        self.end()
        self._words.join(1.0)
        for line in self._last_words:
            logger.warning("decoder: %s", line)
        if code < 0:
            with contextlib.suppress(ValueError):
                return signal.Signals(-code).name
        return f"exit code {code}"

    def _log_words(self) -> None:
        """What FFmpeg and OpenCV write past Python's logging."""
        assert self._process.stderr is not None
        with self._process.stderr as words:
            for line in words:
                self._last_words.append(redact(line.decode(errors="replace").rstrip()))
                logger.debug("decoder: %s", self._last_words[-1])


def _spawn(theirs: socket.socket, memory: Memory) -> "subprocess.Popen[bytes]":
    windows = os.name == "nt"
    connection = "stdin" if windows else str(theirs.fileno())
    command = [sys.executable, "-X", "faulthandler", "-m", "app.sources.child", connection, memory.address]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,  # its end tells the child that this process has ended
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=_ROOT,
        start_new_session=True,  # Ctrl-C is for the program alone
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # on Windows
        pass_fds=() if windows else (theirs.fileno(), *memory.inherited),
    )
    if windows:
        assert process.stdin is not None
        share = getattr(theirs, "share")  # noqa: B009  the attribute exists on Windows only
        process.stdin.write(base64.b64encode(share(process.pid)) + b"\n")
        process.stdin.flush()
    return process


_lock = threading.Lock()
_kept: Decoder | None = None


def take_decoder() -> Decoder:
    """One that has nothing to do, or a new one."""
    global _kept
    with _lock:
        decoder, _kept = _kept, None
    if decoder is not None and not decoder.runs:
        decoder.end()
        decoder = None
    return decoder or Decoder()


def warm_up() -> None:
    """Starts a child ahead of the first source, so that its pictures come earlier."""
    if _kept is None:
        decoder = Decoder()
        if not _keep(decoder):
            decoder.end()


def decoding_seconds() -> float:
    """Processor time that the child which waits for its next source has used; 0 where it cannot be told."""
    decoder = _kept
    if decoder is None or sys.platform != "linux":
        return 0.0
    with contextlib.suppress(OSError):  # it has ended
        clock = ~decoder.process_id << 3 | 2  # the clock of a process: clock_getcpuclockid(3)
        return time.clock_gettime(clock)
    return 0.0


def _keep(decoder: Decoder) -> bool:
    """Whether it is the one that waits for the next source."""
    global _kept
    with _lock:
        if _kept is not None:
            return False
        _kept = decoder
        return True


def _end_kept() -> None:
    global _kept
    with _lock:
        decoder, _kept = _kept, None
    if decoder is not None:
        decoder.end()


atexit.register(_end_kept)
