"""Explanations for the window, computed in a process of their own: the window's never holds TensorFlow."""

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, TypeAlias

from app.greetings import without_greetings
from detector.errors import StudioError
from detector.explain.explanation import Explanation
from detector.model_store import Model
from detector.values import Frame, Ids

if TYPE_CHECKING:
    from detector.explain.explainer import Explainer

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One box.

    frame    the picture it was found on
    nms_iou  at which it suppressed others
    """

    model: Model
    frame: Frame
    anchor_id: int
    class_id: int
    nms_iou: float


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Why the box is there.

    suppressed  anchors whose boxes gave way to it, best first
    """

    explanation: Explanation
    suppressed: Ids


Known: TypeAlias = "tuple[Model, Explainer] | None"

# called in a thread of `Explaining`; a sentence when there is no answer
Tell: TypeAlias = Callable[[Question, Answer | str], None]


class Explaining:
    """Answers the newest question, in a child that is started with the first and then kept warm."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._changed = threading.Condition()  # guards what follows
        self._asked: Question | None = None
        self._child: tuple[BaseProcess, Connection] | None = None
        self._thread: threading.Thread | None = None
        self._closing = False

    def ask(self, question: Question) -> None:
        """Returns at once; a question that still waits is forgotten."""
        with self._changed:
            self._asked = question
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="explain", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self) -> None:
        """Ends the child, whatever it is doing."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            if self._child:
                self._child[0].kill()

    def _run(self) -> None:
        while question := self._next():
            try:
                connection = self._connection()
                connection.send(question)
                answer = connection.recv()
            except (OSError, EOFError):
                answer = "The process that explains boxes has ended; is there too little memory? Click again."
                with self._changed:
                    self._child = None
                    if self._closing:
                        return
            self._tell(question, answer)

    def _next(self) -> Question | None:
        """Waits for one; None when closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._asked is not None)
            asked, self._asked = self._asked, None
            return None if self._closing else asked

    def _connection(self) -> Connection:
        with self._changed:
            if self._closing:
                raise EOFError
            if self._child is None:
                # Never a copy of this process: it would hold the window's threads half.
                context = multiprocessing.get_context("spawn")
                ours, theirs = context.Pipe()
                process = context.Process(target=_serve, args=(theirs,), name="explain", daemon=True)
                process.start()
                theirs.close()  # so that the end of the child is the end of the pipe
                self._child = process, ours
            return self._child[1]


def _serve(connection: Connection) -> None:
    """The child: answers until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the window's to understand
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # a GPU has other things to do, and its memory too
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    known: Known = None
    with contextlib.suppress(EOFError, OSError):
        while True:
            answer, known = _answer(connection.recv(), known)
            connection.send(answer)


def _answer(question: Question, known: Known) -> tuple[Answer | str, Known]:
    """The answer, and the model for the next question: it is mostly the same."""
    try:
        if known is None or known[0] != question.model:
            with without_greetings():
                from detector.explain.explainer import Explainer

                known = question.model, Explainer(question.model)
        explainer, frame, anchor_id = known[1], question.frame, question.anchor_id
        explanation = explainer.explain(frame, anchor_id=anchor_id, class_id=question.class_id)
        suppressed = explainer.suppressed_by(
            anchor_id, frame, class_id=question.class_id, nms_iou=question.nms_iou
        )
        return Answer(explanation, suppressed), known
    except StudioError as error:
        return str(error), known
    except Exception as error:
        logger.exception("a box could not be explained")
        return f"This box cannot be explained: {type(error).__name__}: {error}.", known
