"""Several sources side by side, looked at by one engine."""

import math
from collections.abc import Mapping, Sequence
from functools import partial

from PyQt5.QtCore import QTimer, pyqtSignal
from PyQt5.QtWidgets import QAction, QGridLayout, QVBoxLayout, QWidget

from app.events import Regions
from app.keeping import stems_of
from app.pipeline import Choice, LivePipeline, OpenEngine, SharedEngine
from app.recording.sidecar import finder_of
from app.sources import Source
from detector.model_card import ModelCard
from detector.values import LabelMap
from widgets.grid_bar import GridBar
from widgets.tile import Tile
from widgets.vigil import EventWishes, close_all
from widgets.watch import Watch

_FIGURES_EVERY_MS = 250


class GridPage(QWidget):
    """wanted  a tile that the person wants to see large
    left    a tile that the person wants no more
    looked  the Subject of a tile and its newest RecordingState or None, now and then
    """

    wanted = pyqtSignal(object)
    left = pyqtSignal(object)
    looked = pyqtSignal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("All sources")
        self.tiles: list[Tile] = []
        self.large: Tile | None = None
        self.blur: tuple[str, ...] = ()  # names of classes, from the next source on
        self._engine = SharedEngine()
        self._rows = QGridLayout()
        self._rows.setContentsMargins(2, 2, 2, 2)
        self._rows.setSpacing(2)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addLayout(self._rows, 1)
        self._timer = QTimer(self, interval=_FIGURES_EVERY_MS)
        self._timer.timeout.connect(self._refresh)

    def lay_out(self, actions: Mapping[str, QAction]) -> None:
        """With the buttons of these actions."""
        self.bar = GridBar(actions)
        self._column.addWidget(self.bar)

    def open(
        self,
        sources: Sequence[tuple[str, Source, Regions]],
        open_engine: OpenEngine | None,
        card: ModelCard | None,
        choice: Choice,
    ) -> None:
        """Watches sources, given with their addresses and what was drawn for them; those before must have
        been released.
        """
        self._engine = SharedEngine(open_engine)
        stems = stems_of(source.name for _, source, _ in sources)
        self.tiles = [
            self._tile(address, source, regions, stem, card, choice)
            for (address, source, regions), stem in zip(sources, stems)
        ]
        self._arrange()
        for tile in self.tiles:
            tile.watch.pipeline.start()
        self._timer.start()

    def exchange(
        self, tile: Tile, by: tuple[str, Source, Regions], card: ModelCard | None, choice: Choice
    ) -> tuple[Tile, LivePipeline]:
        """Watches another source in the place of one; whoever asked closes what watched that."""
        place = self.tiles.index(tile)
        other = self._tile(*by, tile.stem, card, choice)
        pipeline = self.remove(tile)
        self.tiles.insert(place, other)
        self._arrange()
        other.watch.pipeline.start()
        return other, pipeline

    def lend(self, tile: Tile) -> Watch:
        """To whoever shows it large."""
        self.large = tile
        return tile.lend()

    def take_back(self) -> None:
        """What was lent."""
        large, self.large = self.large, None
        if large is not None:
            large.take_back()

    def release(self) -> tuple[list[LivePipeline], SharedEngine]:
        """Lets go of everything; whoever asked closes it, the engine last."""
        self._timer.stop()
        self.take_back()
        close_all(tile.watch.vigil for tile in self.tiles)
        return [self.remove(tile) for tile in list(self.tiles)], self._engine

    def tile_of(self, pipeline: LivePipeline) -> Tile | None:
        return next((tile for tile in self.tiles if tile.watch.pipeline is pipeline), None)

    def remove(self, tile: Tile) -> LivePipeline:
        """Lets go of one; whoever asked closes it. The others move together."""
        self.tiles.remove(tile)
        watch = tile.lend()
        watch.vigil.close()
        tile.hide()
        tile.deleteLater()
        self._arrange()
        return watch.pipeline

    def use_model(self, open_engine: OpenEngine | None, card: ModelCard | None) -> None:
        """Another model for all of them."""
        if not self.tiles or open_engine is None:
            return
        self._engine.use(open_engine)  # from here on there are no boxes that the new names would not fit
        for tile in self.tiles:
            tile.watch.pipeline.finder = finder_of(card)
            tile.labels = _labels(card)
            tile.watch.vigil.use_labels(tile.labels)
            tile.watch.refresh()

    def keep_events(self, wishes: EventWishes) -> None:
        """What becomes of the events of all of them.

        raises  OptionError, RecordingError when that cannot be
        """
        for tile in self.tiles:
            tile.watch.vigil.keep(wishes)

    def show_recorded(self, recorded: int, waiting: int) -> None:
        """How many of the sources are recorded, and how many wait to be."""
        self.bar.count(len(self.tiles), recorded, waiting)

    def hush(self) -> None:
        """What is said in the places of the sources is old."""
        for tile in self.tiles:
            tile.note.dismiss()

    def choose(self, choice: Choice) -> None:
        for tile in self.tiles:
            tile.watch.pipeline.choose(choice)

    def show_boxes(self, shown: bool) -> None:
        for tile in self.tiles:
            tile.boxes = shown
            tile.show_newest()

    def show_names(self, shown: bool) -> None:
        for tile in self.tiles:
            tile.names = shown
            tile.show_newest()

    def _tile(
        self,
        address: str,
        source: Source,
        regions: Regions,
        stem: str,
        card: ModelCard | None,
        choice: Choice,
    ) -> Tile:
        watch = Watch(
            source,
            engine=self._engine,
            choice=choice,
            finder=finder_of(card),
            blur=self.blur,
            regions=regions,
        )
        tile = Tile(address, watch, _labels(card), stem)
        tile.wanted.connect(partial(self.wanted.emit, tile))
        tile.left.connect(partial(self.left.emit, tile))
        return tile

    def _arrange(self) -> None:
        for line in range(max(self._rows.rowCount(), self._rows.columnCount())):
            self._rows.setRowStretch(line, 0)
            self._rows.setColumnStretch(line, 0)
        columns = math.ceil(math.sqrt(len(self.tiles)))
        for index, tile in enumerate(self.tiles):
            row, column = divmod(index, columns)
            self._rows.addWidget(tile, row, column)
            self._rows.setRowStretch(row, 1)
            self._rows.setColumnStretch(column, 1)

    def _refresh(self) -> None:
        for tile in self.tiles:
            if view := tile.refresh():
                self.looked.emit(tile.subject, view.recording)


def _labels(card: ModelCard | None) -> LabelMap:
    return LabelMap(card.classes if card else ())
