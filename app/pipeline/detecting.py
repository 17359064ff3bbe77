"""What one source asks of the engine, and what was found on its frames."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from app.pipeline.choice import Choice
from app.pipeline.figures import Measure
from app.pipeline.mailbox import Entry, Mailbox, News
from app.pipeline.shared_engine import Question, SharedEngine
from app.tracking import Carrying
from detector.values import Detections, Frame


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What the detector found, on which frame; not yet filtered by the choice.

    detections  on that frame, or carried from there to a later one
    """

    entry: Entry
    detections: Detections


Listener = Callable[[Frame, Detections], None]


class Detecting:
    """An `Asker` of the shared engine. Everything may be called from any thread and acts at once."""

    def __init__(
        self, engine: SharedEngine, mailbox: Mailbox, measure: Measure, news: News, *, choice: Choice
    ) -> None:
        self._mailbox = mailbox
        self._measure = measure
        self._news = news
        self._changed = engine.changed  # guards what follows
        self._choice = choice
        self._found: Found | None = None
        self._held: Entry | None = None
        self._found_on_held: Found | None = None
        self._asked: dict[str, tuple[int, tuple[float, float]]] = {}
        self._under_way: Question | None = None
        self._last_number: int | None = None  # answered
        self._listener: Listener | None = None
        self._carrying = Carrying()
        self._seen: Entry | None = None  # known to the capture thread only

    def listen(self, listener: Listener) -> None:
        """From now on it is given each frame that was looked at, with what was found as chosen. It must not
        wait: the engine's thread calls it.
        """
        self._listener = listener

    @property
    def choice(self) -> Choice:
        with self._changed:
            return self._choice

    def choose(self, choice: Choice) -> None:
        with self._changed:
            self._choice = choice
            self._changed.notify_all()

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
        """The newest boxes that may be shown on this frame, carried to it."""
        with self._changed:
            found = self._found_on_held if entry and entry is self._held else self._found
        if found is None or entry is None or found.entry.number > entry.number:
            return None
        if not found.entry.fits(entry):
            return None
        if found.entry.number == entry.number:
            return found
        carried = self._carrying.at(entry.number)
        return found if carried is None else Found(found.entry, carried)

    def saw(self, entry: Entry) -> None:
        """A frame has come; called by the capture thread, before anybody else gets it."""
        follows = self._seen is not None and self._seen.fits(entry)
        self._carrying.saw(entry.frame, entry.number, follows=follows)
        self._seen = entry

    # Asked by the engine.

    def question(self, way: tuple[float, float] | None) -> Question | None:
        for key, entry in (("held", self._held), ("newest", self._mailbox.newest())):
            if entry is None:
                continue
            question = Question.about(entry, self._choice)
            asked = entry.number, question.way
            if asked not in self._asked.values() and way in (None, question.way):
                self._asked[key] = asked
                self._under_way = question
                return question
        return None

    def answered(self, question: Question, detections: Detections, seconds: float) -> None:
        entry = question.entry
        if entry.number >= (self._last_number or 0):  # else asked about again while the view stands still
            detections = self._carrying.found(
                detections, entry.number, entry.frame.pts, min_score=self.choice.min_score
            )
        with self._changed:
            if question is not self._under_way:  # another model was asked for meanwhile
                self._carrying.forget()
                return
            # Frames that nobody looked at since the last time; the first frames came while the model loaded.
            last = self._last_number
            left_out = 0 if last is None else max(0, entry.number - last - 1)
            self._last_number = max(entry.number, last or 0)
            if entry is self._held:
                self._found_on_held = Found(entry, detections)
            if self._found is None or entry.number >= self._found.entry.number:
                self._found = Found(entry, detections)
        self._measure.detected(entry.frame.sequence, seconds, time.monotonic(), left_out=left_out)
        is_new = last is None or entry.number > last  # not a frame that is asked about again
        if self._listener is not None and is_new:
            self._listener(entry.seen, self.choice.of(detections))
        self._news.tell()

    def forget(self) -> None:
        self._found = self._found_on_held = self._under_way = None
        self._asked.clear()
        self._last_number = None
        self._carrying.forget()

    def tell(self) -> None:
        self._news.tell()
