"""The detector's thread: it looks at the newest frame whenever it is free, with the model in use now."""

import enum
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.pipeline.choice import Choice
from app.pipeline.figures import Measure
from app.pipeline.mailbox import Entry, Mailbox, News
from app.redaction import redact
from detector.engines import Engine
from detector.errors import StudioError
from detector.nms import CANDIDATES
from detector.values import Detections

logger = logging.getLogger(__name__)

OpenEngine = Callable[[], Engine]


class DetectorState(enum.Enum):
    """How the detector is doing."""

    OFF = "off"  # no model was asked for
    LOADING = "loading"
    RUNNING = "running"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DetectorStatus:
    """A change of state.

    sentence  why there are no boxes, fit to be shown; empty when OFF or RUNNING
    device    what really runs the model, in words; empty unless RUNNING
    """

    state: DetectorState
    sentence: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What the detector found, and where; not yet filtered by the choice."""

    entry: Entry
    detections: Detections


class Detecting:
    """`run` is the thread; everything else may be called from any thread and acts at once."""

    def __init__(
        self,
        mailbox: Mailbox,
        measure: Measure,
        news: News,
        *,
        open_engine: OpenEngine | None,
        choice: Choice,
    ) -> None:
        self._mailbox = mailbox
        self._measure = measure
        self._news = news
        self._changed = mailbox.changed  # guards what follows
        self._wanted = open_engine  # not opened yet
        self._choice = choice
        self._found: Found | None = None
        self._held: Entry | None = None
        self._found_on_held: Found | None = None
        self._status = _LOADING if open_engine else DetectorStatus(DetectorState.OFF)
        self._closing = False

    @property
    def choice(self) -> Choice:
        with self._changed:
            return self._choice

    @property
    def status(self) -> DetectorStatus:
        with self._changed:
            return self._status

    @property
    def held(self) -> Entry | None:
        """The frame that the view stands still at; None while it goes on."""
        with self._changed:
            return self._held

    def hold(self, entry: Entry | None) -> None:
        """The view of a live source stands still at this frame, or goes on. Detection goes on in any case; a
        choice changed meanwhile is answered for this frame too.
        """
        with self._changed:
            self._found_on_held = self.found_for(entry)
            self._held = entry
            self._changed.notify_all()

    def found_for(self, entry: Entry | None) -> Found | None:
        """The newest boxes that may be shown on this frame."""
        with self._changed:
            found = self._found_on_held if entry and entry is self._held else self._found
        if found is None or entry is None or found.entry.number > entry.number:
            return None
        return found if found.entry.fits(entry) else None

    def choose(self, choice: Choice) -> None:
        with self._changed:
            self._choice = choice
            self._changed.notify_all()

    def use(self, open_engine: OpenEngine) -> None:
        """Another model from now on. Boxes of the one before are gone: their class ids mean other things."""
        with self._changed:
            self._wanted, self._status = open_engine, _LOADING
            self._found = self._found_on_held = None
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def run(self) -> None:
        while open_engine := self._next_model():
            engine: Engine | None = None
            try:
                engine = open_engine()
                self._become(DetectorStatus(DetectorState.RUNNING, device=engine.device))
                self._detect_until_changed(engine)
            except Exception as error:  # noqa: BLE001 - a sentence, and the video goes on
                self._failed("Detection has stopped" if engine else "The model cannot be used", error)
            finally:
                if engine:
                    _close(engine)

    def _next_model(self) -> OpenEngine | None:
        """Waits for one; None when closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._wanted is not None)
            wanted, self._wanted = self._wanted, None
            return None if self._closing else wanted

    def _detect_until_changed(self, engine: Engine) -> None:
        done: _Done = {}
        last_number: int | None = None
        while work := self._next_work(done):
            entry, choice = work
            # Frames that nobody looked at since the last time; the first frames came while the model loaded.
            left_out = 0 if last_number is None else max(0, entry.number - last_number - 1)
            last_number = max(entry.number, last_number or 0)
            began = time.monotonic()
            (detections,) = engine.detect(
                [entry.frame],
                nms_iou=choice.nms_iou,
                max_detections=CANDIDATES,  # all: the choice is made afterwards, at any time
                floor=choice.floor,
            )
            now = time.monotonic()
            self._measure.detected(entry.frame.sequence, now - began, now, left_out=left_out)
            with self._changed:
                if self._wanted is not None:  # another model was asked for meanwhile
                    return
                if entry is self._held:
                    self._found_on_held = Found(entry, detections)
                if self._found is None or entry.number >= self._found.entry.number:
                    self._found = Found(entry, detections)
            self._news.tell()

    def _next_work(self, done: "_Done") -> tuple[Entry, Choice] | None:
        """Waits for a frame or a choice that the engine has not seen; None when it is not to go on.

        done  what it has seen of the newest frame and of the one held; kept up here
        """
        with self._changed:
            while not self._closing and self._wanted is None:
                for key, entry in (("held", self._held), ("newest", self._mailbox.newest())):
                    if entry is None:
                        continue
                    asked = entry.number, _question(self._choice)
                    if asked not in done.values():
                        done[key] = asked
                        return entry, self._choice
                self._changed.wait()
            return None

    def _become(self, status: DetectorStatus) -> None:
        with self._changed:
            if self._wanted is None:  # else another model is loading by now
                self._status = status
        self._news.tell()

    def _failed(self, what: str, error: Exception) -> None:
        if isinstance(error, StudioError):
            reason = str(error)
        else:
            logger.error("%s", what, exc_info=error)
            reason = f"{type(error).__name__}; the log says more"
        self._become(DetectorStatus(DetectorState.FAILED, redact(f"{what}: {reason}")))


_LOADING = DetectorStatus(DetectorState.LOADING, "Loading the model")
_Question = tuple[float, float]
_Done = dict[str, tuple[int, _Question]]


def _question(choice: Choice) -> _Question:
    """What of a choice the engine is asked; the rest filters its answer."""
    return (choice.nms_iou, choice.floor)


def _close(engine: Engine) -> None:
    try:
        engine.close()
    except Exception:  # what it held is lost either way
        logger.exception("closing the engine failed")
