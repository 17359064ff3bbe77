"""Zones, lines and events of the source that is watched: what is drawn, listed, kept and acted upon."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from PyQt5.QtCore import QObject, Qt, pyqtSignal

from app.events import Event, Line, Regions, Tally, Zone
from app.events.actions import Action, open_action
from app.events.event_log import EventLog
from app.events.live_events import LiveEvents
from app.events.regions import Region
from app.keeping import new_path
from app.pipeline import LivePipeline
from detector.errors import OptionError, RecordingError
from detector.values import LabelMap
from widgets.events_panel import EventsPanel
from widgets.region_layer import RegionLayer
from widgets.video_view import VideoView

_FINISH_WITHIN = 0.3  # seconds for what waits to be written, when a source is let go


class EventsDesk(QObject):
    """Methods of the table of actions, and what the page tells of its source.

    regions_changed  what was drawn for the source that is watched
    told             a sentence about what is not possible
    wanted           its panel is to be seen
    happened         an event and its picture or None; for itself, from another thread
    folder           where events are kept; empty: the person's videos
    """

    regions_changed = pyqtSignal(object)
    told = pyqtSignal(str)
    wanted = pyqtSignal()
    happened = pyqtSignal(object, object)

    def __init__(self, view: VideoView, parent: QObject) -> None:
        super().__init__(parent)
        self.panel = EventsPanel()
        self.panel.setFixedWidth(self.panel.sizeHint().width())
        self.panel.hide()
        self.layer = RegionLayer(view)
        self.folder = ""
        self._panel_wanted = self._room = False
        self._regions = Regions()
        self._labels = LabelMap(())
        self._source = ""
        self._live: LiveEvents | None = None
        self._log: EventLog | None = None
        self._action_text = ""
        self.layer.drawn.connect(self._drawn)
        self.layer.moved.connect(lambda region: self._change(region, instead_of=region.name))
        self.panel.renamed.connect(self._rename)
        self.panel.removed.connect(lambda name: self._use(self._regions.without(name)))
        self.panel.asked.connect(lambda name: getattr(self, name)())
        self.panel.kept.connect(lambda on: self._begin_log())
        self.panel.action_set.connect(self._set_action)
        self.happened.connect(self.panel.add_event, Qt.QueuedConnection)

    def open(self, pipeline: LivePipeline, labels: LabelMap, regions: Regions) -> None:
        """Another source; the one before must have been released."""
        self._source, self._labels, self._regions = pipeline.source.name, labels, regions
        self._live = LiveEvents(self.happened.emit)
        pipeline.listen(self._live.offer)
        self.panel.events.clear()
        self._begin_log()
        self._follow()

    def use_labels(self, labels: LabelMap) -> None:
        """Another model is in use."""
        self._labels = labels
        self._follow()

    def release(self) -> None:
        """Lets go of the source."""
        if self._live is not None:
            self._live.close()
        self._live = None
        self._end_log()
        self._regions = Regions()
        self.layer.cancel()
        self.refresh()

    def refresh(self) -> None:
        """Counts of this moment."""
        tallies = self._live.tallies() if self._live is not None else {}
        words = {
            region.name: _words(region, tallies[region.name], self._labels)
            for region in self._regions.all
            if region.name in tallies
        }
        self.layer.show_regions(self._regions, words)
        self.panel.show_regions(self._regions, words)

    # Actions.

    def draw_zone(self) -> None:
        self._draw(Zone)

    def draw_line(self) -> None:
        self._draw(Line)

    def toggle_events(self, shown: bool) -> None:
        self._panel_wanted = shown
        self.layer.edit(shown)
        self.make_room(self._room)

    def make_room(self, room: bool) -> None:
        """Whether there is room for the panel beside the picture."""
        self._room = room
        self.panel.setVisible(room and self._panel_wanted)

    # What was drawn.

    def _draw(self, kind: type[Zone] | type[Line]) -> None:
        if self._live is None:
            return
        self.wanted.emit()
        names = {region.name for region in self._regions.all}
        numbered = (f"{kind.__name__} {number}" for number in range(1, len(names) + 2))
        self.layer.draw(kind, next(name for name in numbered if name not in names))

    def _drawn(self, region: Region) -> None:
        self._change(region)
        self.panel.edit_name(region.name)

    def _rename(self, before: str, wanted: str) -> None:
        region = next(region for region in self._regions.all if region.name == before)
        try:
            self._change(replace(region, name=wanted), instead_of=before)
        except OptionError as error:
            self.told.emit(str(error))

    def _change(self, region: Region, *, instead_of: str = "") -> None:
        self._use(self._regions.with_region(region, instead_of=instead_of))

    def _use(self, regions: Regions) -> None:
        self._regions = regions
        self._follow()
        self.regions_changed.emit(regions)

    def _follow(self) -> None:
        if self._live is not None:
            self._live.follow(self._regions, self._labels)
        if self._log is not None:
            self._log.labels = self._labels
        self.refresh()

    # Where events go.

    def _set_action(self, text: str) -> None:
        if text != self._action_text:
            self._action_text = text
            self._begin_log()

    def _begin_log(self) -> None:
        """A file, an action, both or neither, as the person wants it now."""
        self._end_log()
        self._action_text = self.panel.action.text().strip()
        if self._live is None or not (self.panel.keep.isChecked() or self._action_text):
            return
        try:
            action: Action | None = open_action(self._action_text) if self._action_text else None
            keep = self.panel.keep.isChecked()
            path = new_path(self._source, ".jsonl", folder=self.folder) if keep else None
        except (OptionError, RecordingError) as error:
            self.told.emit(str(error).removeprefix("--on-event: ").removeprefix("--on-event "))
            return
        self._log = EventLog(path, self._labels, action=action, wrote=self._wrote)
        self._live.keep(self._log)

    def _wrote(self, event: Event, picture: Path | None) -> None:
        self.happened.emit(event, picture)

    def _end_log(self) -> None:
        if self._live is not None:
            self._live.keep(None)
        if self._log is not None:
            self._log.close(_FINISH_WITHIN)
        self._log = None


def _words(region: Region, tally: Tally, labels: LabelMap) -> str:
    """What was counted: "1 person now, 5 so far, 12 s each"; over a line "in 3 person, out 1 car"."""

    def counted(counts: Mapping[int, int]) -> str:
        return ", ".join(f"{count} {labels[class_id]}" for class_id, count in sorted(counts.items()) if count)

    if isinstance(region, Line):
        parts = [
            f"{way} {counted(counts)}"
            for way, counts in (("in", tally.entered), ("out", tally.out))
            if counts
        ]
        return ", ".join(parts)
    left = tally.out.total()
    parts = [f"{counted(tally.now)} now"] if tally.now else []
    parts += [f"{tally.entered.total()} so far"] if tally.entered else []
    parts += [f"{sum(tally.dwell.values()) / left:.0f} s each"] if left else []
    return ", ".join(parts)
