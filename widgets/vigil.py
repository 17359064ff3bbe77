"""The zones and lines of one source: followed, kept and acted upon, however large it is shown."""

import os
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from PyQt5.QtCore import QObject, pyqtSignal

from app.events import Event, Regions, Tally
from app.events.actions import Action, open_action
from app.events.event_log import EventLog
from app.events.live_events import LiveEvents
from app.keeping import new_path
from app.pipeline import LivePipeline
from app.recording.part_file import create_private
from detector.errors import StudioError
from detector.values import LabelMap

MOST = 500  # events remembered; older ones are in the file, where one is kept
_FINISH_WITHIN = 0.3  # seconds for what waits to be written, when a source is let go


class Happening(NamedTuple):
    """An event as it is listed; picture None where none is kept."""

    at: datetime
    event: Event
    picture: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventWishes:
    """What becomes of events.

    keep    on the disk, with pictures
    action  a command or an address; empty: none
    folder  where they are kept; empty: the person's videos
    """

    keep: bool = False
    action: str = ""
    folder: str = ""


class Vigil(QObject):
    """Lasts as long as its source is watched.

    happened  a Happening; emitted in another thread
    seen      those so far, the newest last
    """

    happened = pyqtSignal(object)

    def __init__(self, pipeline: LivePipeline, labels: LabelMap, regions: Regions) -> None:
        super().__init__()
        self.seen: deque[Happening] = deque(maxlen=MOST)
        self.regions = regions
        self._labels = labels
        self._source = pipeline.source.name
        self._wishes = EventWishes()
        self._log: EventLog | None = None
        self._live = LiveEvents(self._tell)
        self._live.follow(regions, labels)
        pipeline.listen(self._live.offer)

    def use_regions(self, regions: Regions) -> None:
        """From now on these; what was counted begins anew."""
        self.regions = regions
        self._live.follow(regions, self._labels)

    def use_labels(self, labels: LabelMap) -> None:
        """Another model is in use."""
        if labels != self._labels:
            self._labels = labels
            self._live.follow(self.regions, labels)

    def tallies(self) -> Mapping[str, Tally]:
        """What each zone and line has seen until now."""
        return self._live.tallies()

    def keep(self, wishes: EventWishes) -> None:
        """Events go to a file, an action, both or neither, as the person wants it now.

        raises  OptionError, RecordingError when that cannot be; then they go nowhere
        """
        if wishes == self._wishes:
            return
        self._end_log()
        self._wishes = EventWishes()
        if wishes.keep or wishes.action:
            action: Action | None = open_action(wishes.action) if wishes.action else None
            path = _file_for(self._source, wishes.folder) if wishes.keep else None
            self._log = EventLog(path, self._labels, action=action, wrote=self._tell)
            self._live.keep(self._log)
        self._wishes = wishes

    def close(self) -> None:
        self._live.close()
        self._end_log()

    def _tell(self, event: Event, picture: Path | None) -> None:
        happening = Happening(datetime.now(), event, picture)
        self.seen.append(happening)
        self.happened.emit(happening)

    def _end_log(self) -> None:
        self._live.keep(None)
        log, self._log = self._log, None
        if log is None:
            return
        log.close(_FINISH_WITHIN)
        with suppress(OSError):
            if log.path is not None and not log.path.stat().st_size:
                log.path.unlink()


def close_all(vigils: Iterable[Vigil]) -> None:
    """All at once: on a disk that does not answer they take no longer than one."""
    threads = [threading.Thread(target=vigil.close, name="end of events", daemon=True) for vigil in vigils]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _file_for(source: str, folder: str) -> Path:
    """An empty file: two sources may have one name, and their events none."""
    path = new_path(source, ".jsonl", folder=folder)
    os.close(create_private(path))
    return path


def without_option(error: StudioError) -> str:
    """What is wrong with an action, in a window that has no options."""
    return str(error).removeprefix("--on-event: ").removeprefix("--on-event ")
