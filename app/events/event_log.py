"""Where events go: a picture and a line on the disk, then a command or an address; nothing waits for any.

who sees the event --belt--> writer: picture, line --belt--> doer: the action, however long it takes
"""

import json
import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2

from app.events.actions import Action
from app.events.mishaps import Mishaps
from app.events.rules import Event
from app.overlay import draw
from app.pipeline.belt import Abandoned, Belt
from app.recording.part_file import PRIVATE, create_private, make_folder, reason
from detector.errors import RecordingError
from detector.values import Detections, Frame, LabelMap

_WAITING_BYTES = 200_000_000  # of pixels: 32 frames of 1080p
_WAITING = 64
_MOST_ERRANDS = 100_000  # of a file, which has an end: all are carried out
_HURRY, _GLANCE = 1.0, 0.1  # seconds
_MOST_PICTURES = 5000  # of one run, about 500 MB: older ones are removed, their lines stay


@dataclass(frozen=True, slots=True, eq=False)
class _Notice:
    event: Event
    frame: Frame
    found: Detections
    labels: LabelMap
    noticed_at: datetime


class EventLog:
    """Keeps events and has them acted upon, in threads of its own.

    path    lines are appended to it; pictures lie in PATH-pictures beside it. None: neither is kept
    action  None: nothing else is done
    live    whoever offers events never waits: when too many wait, the oldest are dropped, and that is said.
            Else he waits for the disk (never for the action)
    wrote   called in the writer's thread with the event and its picture
    """

    def __init__(
        self,
        path: Path | None,
        labels: LabelMap,
        *,
        action: Action | None = None,
        live: bool = True,
        wrote: Callable[[Event, Path | None], None] = lambda event, picture: None,
    ) -> None:
        self.path = path
        self.count = 0
        self._labels, self._action, self._live, self._wrote = labels, action, live, wrote
        self._pictures: deque[Path] = deque()
        self._mishaps = Mishaps()
        self._hurried_until = float("inf")
        self._notices: Belt[_Notice] = Belt(items=_WAITING, size=_WAITING_BYTES)
        most = _WAITING if live else _MOST_ERRANDS
        self._errands: Belt[dict[str, Any]] = Belt(items=most, size=most)
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("write events", self._write_all), ("act on events", self._act_on_all))
        ]
        for thread in self._threads:
            thread.start()

    def offer(
        self, events: list[Event], frame: Frame, found: Detections, labels: LabelMap | None = None
    ) -> None:
        """Events of a frame, with all that was found on it.

        labels  of the model that found it, where it may be another by now than the log was begun with
        raises  Abandoned when it is closed
        """
        for event in events:
            notice = _Notice(event, frame, found, labels or self._labels, datetime.now().astimezone())
            if not self._live:
                self._notices.put(notice, frame.pixels.nbytes)
            elif self._notices.put_newest(notice, frame.pixels.nbytes):
                self._mishaps.say_once("The disk is too slow for so many events; some are lost.")

    def close(self, timeout: float | None = None) -> bool:
        """What was offered is still written and acted upon; for `timeout` seconds at most, where given.

        returns  False when something had to be left undone
        """
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        self._notices.close()
        for thread in self._threads:
            while thread.is_alive() and time.monotonic() < min(deadline, self._hurried_until):
                thread.join(_GLANCE)
        done = not any(thread.is_alive() for thread in self._threads)
        self._notices.abandon()
        self._errands.abandon()
        if self._action is not None:
            self._action.stop()
        return done

    def hurry(self) -> None:
        """`close` has a second left at most, also one that is waiting by now. For a signal handler."""
        self._hurried_until = time.monotonic() + _HURRY

    def _write_all(self) -> None:
        try:
            while notices := self._notices.take_now(1):
                for notice in notices:
                    self._take_note(notice)
            self._errands.close()
        except Abandoned:
            pass

    def _take_note(self, notice: _Notice) -> None:
        picture = None
        if self.path is not None:
            with self._mishaps.of(f"Events cannot be written to {self.path}"):
                picture = self._write_picture(self.path, notice)
            with self._mishaps.of(f"Events cannot be written to {self.path}"):
                _append(self.path, json.dumps(_line(notice, picture), ensure_ascii=False, allow_nan=False))
                self.count += 1
        with self._mishaps.of("An event could not be told"):
            self._wrote(notice.event, picture)
        if self._action is not None and self._errands.put_newest(_line(notice, picture), 1):
            self._mishaps.say_once("Events come faster than the action for them ends; some go without it.")

    def _write_picture(self, path: Path, notice: _Notice) -> Path:
        event, folder = notice.event, path.with_name(f"{path.stem}-pictures")
        make_folder(folder)
        where = re.sub(r"[^\w-]+", "-", event.place)[:40]
        name = f"{notice.noticed_at:%Y%m%d-%H%M%S.%f}-{event.kind}-{where}-{event.track_id}.jpg"
        _, content = cv2.imencode(".jpg", draw(notice.frame.pixels, notice.found, notice.labels))
        with os.fdopen(create_private(folder / name), "wb") as file:
            file.write(content.tobytes())
        self._pictures.append(folder / name)
        if len(self._pictures) > _MOST_PICTURES:
            self._pictures.popleft().unlink(missing_ok=True)
        return (folder / name).absolute()

    def _act_on_all(self) -> None:
        try:
            while errands := self._errands.take_now(1):
                for errand in errands:
                    self._act(errand)
        except Abandoned:
            pass

    def _act(self, errand: dict[str, Any]) -> None:
        assert self._action is not None
        with self._mishaps.of("The action for an event was not carried out"):
            self._action.do(errand)


def _line(notice: _Notice, picture: Path | None) -> dict[str, Any]:
    where = {"source": notice.frame.source, "noticed": notice.noticed_at.isoformat("T", "milliseconds")}
    return {**notice.event.to_json(), **where, "picture": str(picture) if picture else None}


def check_events_file(path: Path) -> None:
    """Tells early whether lines can be appended here; an empty file may be left.

    raises  RecordingError
    """
    try:
        os.close(_opened(path))
    except OSError as error:
        raise RecordingError(f"{path} cannot be written ({reason(error)}); choose another place.") from error


def _append(path: Path, line: str) -> None:
    with os.fdopen(_opened(path), "ab") as file:
        file.write(line.encode() + b"\n")


def _opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), PRIVATE)
