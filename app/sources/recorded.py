"""Sources that wait to be asked for: files and folders, decoded in a child process."""

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from app.sources.decoder import CrashedError, Decoder, take_decoder
from app.sources.source import Source, State, Status
from app.sources.told import Alive, Ended, Failed, Opened, Place, Shot
from detector.errors import SourceError
from detector.values import Frame

logger = logging.getLogger(__name__)

_GLANCE = 0.1  # seconds between looks at the stop flag
_SILENCE = 60.0  # seconds without a sign from the child: a decoder that hangs is as good as one that crashed


class Recorded(Source):
    """A file, or a folder of them.

    A decoder that crashes is replaced once, and the new one goes on after the last picture. When that one
    crashes in the same file too, the file is left out of its folder, or that is the end.

    reader  the module of `app.sources.readers` that reads it
    """

    reader: ClassVar[str]

    def __init__(self, path: Path, *, start: float = 0.0, reader: str | None = None) -> None:
        """reader: another module than usual"""
        super().__init__(path.name or str(path))
        self._path = path
        self._reader = reader or self.reader
        self._target: tuple[float, bool] | None = (start, False) if start > 0 else None

    def seek(self, seconds: float, *, before: bool = False) -> None:
        self._target = (max(0.0, seconds), before)

    def _items(self) -> Iterator[Frame | Status]:
        yield self._status(State.CONNECTING, f"Opening {self.name}")
        progress = _Progress(many=self._path.is_dir())
        while True:
            decoder = take_decoder()
            try:
                yield from self._read(decoder, progress)
                return
            except CrashedError as crash:
                logger.warning("%s: the decoder has crashed at %s (%s)", self.name, progress.where, crash)
                if not progress.may_go_on():
                    yield self._status(State.CRASHED, _CRASHED.format(name=self.name, where=progress.where))
                    return
            finally:
                decoder.let_go()

    def _read(self, decoder: Decoder, progress: "_Progress") -> Iterator[Frame | Status]:
        """raises  CrashedError, SourceError"""
        self._begin(decoder, progress)
        silent = 0.0
        while not self._stopped.is_set():
            if self._target is not None:
                seconds, before = self._target
                decoder.seek(seconds, before=before)
                progress.sought, self._target = (seconds, before), None
            event = decoder.receive(_GLANCE)
            silent = silent + _GLANCE if event is None else 0.0
            match event:
                case None:
                    if silent > _SILENCE:
                        decoder.end()
                        raise CrashedError(f"no sign of life for {_SILENCE:.0f} s")
                case Shot():
                    if progress.searching:
                        progress.searching = False
                        yield self._status(State.LIVE, f"Playing {self.name}")
                    progress.shown(event.pts)
                    yield self._frame(event.pixels, event.pts, progress.name)
                case Opened():
                    self.duration, self.rate, self.seekable = event.duration, event.rate, event.seekable
                    if not progress.opened:
                        yield self._status(State.LIVE, f"Playing {self.name}")
                    progress.opened = True
                case Alive(searching=True) if not progress.searching:
                    progress.searching = True
                    yield self._status(State.LIVE, f"Seeking in {self.name}")
                case Place():
                    progress.name, progress.place = event.name, dict(event.place)
                case Ended() if not event.sought:  # it had come to the end before it heard of the seek
                    self._begin(decoder, progress)
                case Ended():
                    yield self._status(State.ENDED, event.sentence)
                    return
                case Failed():
                    words = event.sentence or f"{self.name}: cannot be read ({event.state})"
                    raise SourceError(words)

    def _begin(self, decoder: Decoder, progress: "_Progress") -> None:
        if self._target is not None:
            progress.sought, self._target = self._target, None
        start, before = progress.sought or (0.0, False)
        path = str(self._path.absolute())
        arguments = {"path": path, "start": start, "before": before} | progress.rest()
        decoder.begin(self._reader, arguments)


_CRASHED = (
    "{name}: the decoder crashes at {where}, also at a second attempt; the file is damaged there, "
    "begin at a later place"
)


class _Progress:
    """How far a source has been read: what a second decoder must know to go on.

    name    of the file in a folder; None otherwise
    place   of that file in the folder, in the reader's own words
    sought  the newest seek, until its picture has come
    """

    def __init__(self, *, many: bool) -> None:
        self.name: str | None = None
        self.place: dict[str, Any] | None = None
        self.sought: tuple[float, bool] | None = None
        self.opened = self.searching = False
        self._many = many  # files
        self._last: float | None = None
        self._resumes = False
        self._crashes: Counter[str | None] = Counter()  # by file

    @property
    def where(self) -> str:
        name = f"{self.name}, " if self._many and self.name else ""
        return f"{name}{'the first picture' if self._last is None else f'{self._last:.2f} s'}"

    def shown(self, pts: float) -> None:
        self._last, self.sought, self._resumes = pts, None, False

    def may_go_on(self) -> bool:
        """Whether another attempt makes sense after a crash: one with the same file, then with the next."""
        self._crashes[self.name] += 1
        self._resumes = True
        return self._crashes[self.name] == 1 or (self._many and self.place is not None)

    def rest(self) -> dict[str, Any]:
        """Arguments of a reader that goes on here."""
        if not self._resumes:
            return {}
        rest: dict[str, Any] = {"after": self._last}
        if self.place is not None:
            rest["place"] = self.place | {"skip": self._crashes[self.name] > 1}
        return rest
