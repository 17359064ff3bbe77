"""The detector's thread: one engine for all sources, looking at what is newest of each when it is free."""

import enum
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.pipeline.choice import Choice
from app.pipeline.mailbox import Entry
from app.redaction import redact
from app.sources.reconnecting import Backoff
from detector.engines import Engine
from detector.errors import StudioError
from detector.nms import CANDIDATES
from detector.values import Detections

logger = logging.getLogger(__name__)

OpenEngine = Callable[[], Engine]
BATCH = 8  # frames together at most: more only make each of them older


class DetectorState(enum.Enum):
    """How the detector is doing."""

    OFF = "off"  # no model was asked for
    LOADING = "loading"
    RUNNING = "running"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DetectorStatus:
    """A change of state.

    state     LOADING also while an engine that has failed is opened again; FAILED when that has not helped
              so far, or makes no sense
    sentence  why there are no boxes, fit to be shown; empty when OFF or RUNNING
    device    what really runs the model, in words; empty unless RUNNING
    """

    state: DetectorState
    sentence: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A frame to be looked at, and how."""

    entry: Entry
    nms_iou: float
    floor: float

    @classmethod
    def about(cls, entry: Entry, choice: Choice) -> "Question":
        return cls(entry, choice.nms_iou, choice.floor)

    @property
    def way(self) -> tuple[float, float]:
        """What must be equal of questions that are answered together."""
        return self.nms_iou, self.floor


class Asker(Protocol):
    """One source. Called with `SharedEngine.changed` held, but for `answered`."""

    def question(self, way: tuple[float, float] | None) -> Question | None:
        """What waits to be looked at, and is looked at now; None while the engine has seen it all.

        way  the only one in which it can be answered now; None: any
        """

    def answered(self, question: Question, detections: Detections, seconds: float) -> None:
        """What was found, highest score first, down to the floor; `seconds` were needed. To be left alone if
        `forget` was called meanwhile.
        """

    def forget(self) -> None:
        """Another model is coming: what was found means nothing to it, and everything is to be looked at."""

    def tell(self) -> None:
        """The status has changed."""


class SharedEngine:
    """Any number of sources come and go. Any thread may call anything; each call acts at once.

    open_engine  called in the engine's thread, however long it takes; None: nothing is detected yet
    changed      guards everything between frame and boxes; notified when there may be something to look at
    """

    def __init__(self, open_engine: OpenEngine | None = None) -> None:
        self.changed = threading.Condition()  # guards what follows
        self._wanted = open_engine  # not opened yet
        self._status = _LOADING if open_engine else DetectorStatus(DetectorState.OFF)
        self._askers: list[Asker] = []  # those answered longest ago first
        self._closing = False
        self._answering_since: float | None = None  # of the engine that is open; known to its thread only
        # a daemon: a model that takes minutes to load must not keep the program from ending
        self._thread = threading.Thread(target=self._run, name="detect", daemon=True)

    @property
    def status(self) -> DetectorStatus:
        with self.changed:
            return self._status

    def start(self) -> None:
        """Does nothing when it has been started."""
        with self.changed:
            if self._thread.ident is None and not self._closing:
                self._thread.start()

    def join(self, asker: Asker) -> None:
        with self.changed:
            self._askers.append(asker)
            self.changed.notify_all()

    def leave(self, asker: Asker) -> None:
        """It is not asked again; an answer may still be on its way."""
        with self.changed:
            if asker in self._askers:
                self._askers.remove(asker)

    def use(self, open_engine: OpenEngine) -> None:
        """Another model from now on. Boxes of the one before are gone: their class ids mean other things."""
        with self.changed:
            self._wanted, self._status = open_engine, _LOADING
            for asker in self._askers:
                asker.forget()
            self.changed.notify_all()
        self._tell()

    def close(self, timeout: float = 3.0) -> bool:
        """False while the engine is still caught in something that cannot be interrupted."""
        with self.changed:
            self._closing = True
            self.changed.notify_all()
            started = self._thread.ident is not None
        if started:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while open_engine := self._next_model():
            self._keep_open(open_engine)

    def _keep_open(self, open_engine: OpenEngine) -> None:
        """Until another model is wanted. What has answered once is opened again whenever it fails."""
        backoff, has_answered = Backoff(), False
        while True:
            engine = self._answering_since = None
            try:
                engine = open_engine()
                self._become(DetectorStatus(DetectorState.RUNNING, device=engine.device))
                self._answer_until_changed(engine)
                return
            except Exception as error:  # noqa: BLE001 - a sentence, and the video goes on
                has_answered = has_answered or self._answering_since is not None
                wait = backoff.next_wait(time.monotonic() - (self._answering_since or time.monotonic()))
                what = "Detection has stopped" if engine or has_answered else "The model cannot be used"
                self._failed(what, error, backoff if has_answered else None)
            finally:
                if engine:
                    _close(engine)
            if not has_answered or self._is_over(wait):
                return

    def _is_over(self, seconds: float) -> bool:
        """Whether something else is wanted within that time."""
        with self.changed:
            return self.changed.wait_for(lambda: self._closing or self._wanted is not None, seconds)

    def _next_model(self) -> OpenEngine | None:
        """Waits for one; None when closing."""
        with self.changed:
            self.changed.wait_for(lambda: self._closing or self._wanted is not None)
            wanted, self._wanted = self._wanted, None
            return None if self._closing else wanted

    def _answer_until_changed(self, engine: Engine) -> None:
        while batch := self._next_batch():
            began = time.monotonic()
            answers = engine.detect(
                [question.entry.frame for _, question in batch],
                nms_iou=batch[0][1].nms_iou,
                max_detections=CANDIDATES,  # all: the choice is made afterwards, at any time
                floor=batch[0][1].floor,
            )
            seconds = time.monotonic() - began
            self._answering_since = self._answering_since or began
            for (asker, question), detections in zip(batch, answers):
                asker.answered(question, detections, seconds)

    def _next_batch(self) -> Sequence[tuple[Asker, Question]]:
        """Waits for frames that the engine has not seen; empty when it is not to go on.

        Nobody is waited for: a source that sends nothing sets no pace.
        """
        with self.changed:
            while not self._closing and self._wanted is None:
                batch: list[tuple[Asker, Question]] = []
                for asker in self._askers:  # asked only for what is answered: it does not ask twice
                    if len(batch) < BATCH and (asked := asker.question(batch[0][1].way if batch else None)):
                        batch.append((asker, asked))
                if batch:
                    for asker, _ in batch:  # to the end of the line
                        self._askers.remove(asker)
                        self._askers.append(asker)
                    return batch
                self.changed.wait()
            return []

    def _become(self, status: DetectorStatus) -> None:
        with self.changed:
            if self._wanted is None:  # else another model is loading by now
                self._status = status
        self._tell()

    def _tell(self) -> None:
        with self.changed:
            askers = list(self._askers)
        for asker in askers:
            asker.tell()

    def _failed(self, what: str, error: Exception, again: Backoff | None) -> None:
        """again: how often it has been, where it is opened again"""
        known = isinstance(error, StudioError)
        sentence = redact(f"{what}: {error if known else f'{type(error).__name__}; the log says more'}")
        hopeful = again is not None and again.is_hopeful
        if hopeful:
            sentence = f"{sentence.removesuffix('.')}; it is tried again"
        if again.failures == 1 if again else not known:  # once, not for weeks; others tell the rest
            logger.error("%s", sentence, exc_info=None if known else error)
        with self.changed:  # boxes that nobody finds any more must not stay
            for asker in self._askers:
                asker.forget()
        self._become(DetectorStatus(DetectorState.LOADING if hopeful else DetectorState.FAILED, sentence))


_LOADING = DetectorStatus(DetectorState.LOADING, "Loading the model")


def _close(engine: Engine) -> None:
    try:
        engine.close()
    except Exception:  # what it held is lost either way
        logger.exception("closing the engine failed")
