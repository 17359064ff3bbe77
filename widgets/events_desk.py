"""Zones, lines and events of the source that is watched: what is drawn, listed, kept and acted upon."""

from collections.abc import Mapping
from dataclasses import replace

from PyQt5.QtCore import QObject, Qt, pyqtSignal

from app.events import Line, Regions, Tally, Zone
from app.events.regions import Region
from detector.errors import OptionError, RecordingError
from detector.values import LabelMap
from widgets.events_panel import EventsPanel
from widgets.region_layer import RegionLayer
from widgets.video_view import VideoView
from widgets.vigil import EventWishes, Vigil, without_option


class EventsDesk(QObject):
    """Methods of the table of actions, and what the page tells of its source.

    regions_changed  what was drawn for the source that is watched
    told             a sentence about what is not possible
    wanted           its panel is to be seen
    wishes_changed   what shall become of events
    folder           where events are kept; empty: the person's videos
    """

    regions_changed = pyqtSignal(object)
    told = pyqtSignal(str)
    wanted = pyqtSignal()
    wishes_changed = pyqtSignal()

    def __init__(self, view: VideoView, parent: QObject) -> None:
        super().__init__(parent)
        self.panel = EventsPanel()
        self.panel.setFixedWidth(self.panel.sizeHint().width())
        self.panel.hide()
        self.layer = RegionLayer(view)
        self.folder = ""
        self._panel_wanted = self._room = False
        self._labels = LabelMap(())
        self._vigil: Vigil | None = None
        self.layer.drawn.connect(self._drawn)
        self.layer.moved.connect(lambda region: self._change(region, instead_of=region.name))
        self.panel.renamed.connect(self._rename)
        self.panel.removed.connect(lambda name: self._use(self._regions.without(name)))
        self.panel.asked.connect(lambda name: getattr(self, name)())
        self.panel.kept.connect(lambda on: self._set_wishes())
        self.panel.action_set.connect(lambda text: self._set_wishes())

    def open(self, vigil: Vigil, labels: LabelMap) -> None:
        """Another source; the one before must have been released."""
        self._vigil, self._labels = vigil, labels
        self.panel.events.clear()
        for happening in vigil.seen:
            self.panel.add_event(happening)
        vigil.happened.connect(self.panel.add_event, Qt.QueuedConnection)
        self._keep()
        self.refresh()

    def use_labels(self, labels: LabelMap) -> None:
        """Another model is in use."""
        self._labels = labels
        if self._vigil is not None:
            self._vigil.use_labels(labels)
        self.refresh()

    def release(self) -> None:
        """Lets go of the source; whoever opened its vigil closes it."""
        if self._vigil is not None:
            self._vigil.happened.disconnect(self.panel.add_event)
        self._vigil = None
        self.layer.cancel()
        self.refresh()

    def refresh(self) -> None:
        """Counts of this moment."""
        tallies = self._vigil.tallies() if self._vigil is not None else {}
        words = {
            region.name: _words(region, tallies[region.name], self._labels)
            for region in self._regions.all
            if region.name in tallies
        }
        self.layer.show_regions(self._regions, words)
        self.panel.show_regions(self._regions, words)

    @property
    def wishes(self) -> EventWishes:
        """What becomes of events, here and in sources that are not shown."""
        return EventWishes(
            keep=self.panel.keep.isChecked(), action=self.panel.action.text().strip(), folder=self.folder
        )

    @property
    def _regions(self) -> Regions:
        return self._vigil.regions if self._vigil is not None else Regions()

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
        if self._vigil is None:
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
        if self._vigil is not None:
            self._vigil.use_regions(regions)
        self.refresh()
        self.regions_changed.emit(regions)

    # Where events go.

    def _set_wishes(self) -> None:
        self._keep()
        self.wishes_changed.emit()

    def _keep(self) -> None:
        if self._vigil is not None:
            try:
                self._vigil.keep(self.wishes)
            except (OptionError, RecordingError) as error:
                self.told.emit(without_option(error))


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
