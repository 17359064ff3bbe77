"""Several sources watched together: opened and kept as a set, one of them shown large for a while."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject
from PyQt5.QtWidgets import QFileDialog

from app.pipeline import BATCH, LivePipeline
from app.source_sets import side_by_side, write_set
from app.sources import open_source, path_of
from detector.errors import StudioError
from widgets.source_keeping import Subject
from widgets.tile import Tile
from widgets.vigil import without_option

if TYPE_CHECKING:
    from widgets.window import Window


class SideBySide(QObject):
    """Methods of the table of actions, and what the window's grid asks for."""

    def __init__(self, window: "Window") -> None:
        super().__init__(window)
        self._window = window

    def connect(self) -> None:
        """With the other parts of the window."""
        window = self._window
        grid, keeping, panel = window.grid, window.keeping, window.page.panel
        grid.wanted.connect(self.show_large)
        grid.left.connect(self.leave)
        grid.looked.connect(keeping.look)
        keeping.said.connect(self.say)
        keeping.asked.connect(grid.hush)
        keeping.counted.connect(grid.show_recorded)
        for changed in (panel.thresholds_changed, panel.classes_changed):
            changed.connect(lambda: grid.choose(window.page.choice()))
        window.actions_by_name["toggle_boxes"].toggled.connect(grid.show_boxes)
        window.actions_by_name["toggle_labels"].toggled.connect(grid.show_names)

    def open(self, addresses: Sequence[str]) -> None:
        """Watches several sources; a set counts as what is in it. What was watched before is let go."""
        window = self._window
        window.banner.dismiss()
        try:
            opened = [(each, open_source(each, capture=window.capture)) for each in side_by_side(addresses)]
        except StudioError as error:
            window.banner.say(str(error), tone="error")
            return
        window.let_go()
        for address in reversed(addresses):
            window.settings = window.settings.with_source(address)
        sources = [(each, source, window.settings.regions_of(each)) for each, source in opened]
        opener = window.models.engine_opener(batch=min(len(sources), BATCH))
        window.grid.open(sources, opener, window.models.card, window.page.choice())
        self.keep_events()
        self._show_all()

    def log_in(self, address: str, keep_log_in: bool) -> None:
        """The source that is shown large, anew with another name and password; the others go on."""
        window, large = self._window, self._window.grid.large
        if large is None:
            window.open_source(address, keep_log_in=keep_log_in)
            return
        source = window.source_at(address, keep_log_in=keep_log_in)
        if source is None:
            return
        window.page.release()
        window.grid.take_back()
        by = (address, source, window.settings.regions_of(address))
        tile, before = window.grid.exchange(large, by, window.models.card, window.page.choice())
        window.end_soon(before)
        self.keep_events()
        self.show_large(tile)

    def keep_events(self) -> None:
        """As the person wants it now, of all of them."""
        try:
            self._window.grid.keep_events(self._window.page.desk.wishes)
        except StudioError as error:
            self._window.say_mishap(without_option(error))

    def show_grid(self) -> None:
        """From one of several sources back to all of them."""
        window = self._window
        if window.grid.large is None:
            return
        window.page.release()
        window.grid.take_back()
        self._show_all()

    def show_large(self, tile: Tile) -> None:
        window = self._window
        window.address = tile.address
        window.keeping.playing = path_of(tile.address)
        window.page.borrow(window.grid.lend(tile))
        window.go_to(window.page)
        window.page.go_on()

    def leave(self, tile: Tile) -> None:
        """One of several is watched no more."""
        window = self._window
        if len(window.grid.tiles) == 1:
            window.close_source()
        else:
            window.end_soon(window.grid.remove(tile))
            self._say_title()

    def shown(self) -> list[Subject]:
        """What can be seen now: the source that is shown large, or all."""
        window = self._window
        if (watched := window.page.watched()) is None:
            return [tile.subject for tile in window.grid.tiles]
        large = window.grid.large
        return [Subject(*watched, large.stem if large else watched[0].source.name)]

    def say(self, pipeline: LivePipeline, sentence: str, tone: str) -> None:
        """Something about one source: in its place, and across the window where that cannot be seen."""
        window = self._window
        watched = window.page.watched()
        if watched and watched[0] is pipeline:
            window.banner.say(sentence, tone=tone)
            return
        if tile := window.grid.tile_of(pipeline):
            tile.say(sentence, tone)
        if watched or tile is None:
            window.banner.say(f"{pipeline.source.name}: {sentence}", tone=tone)

    def save_together(self) -> None:
        """The sources side by side, as a file that opens them again."""
        window = self._window
        if not window.grid.tiles:
            window.banner.say("Several sources must be watched together before they can be saved.")
            return
        title, kinds = "Save these sources as a set", "Sources (*.sources)"
        file, _ = QFileDialog.getSaveFileName(window, title, "", kinds)
        if not file:
            return
        try:
            path = write_set(Path(file), [tile.address for tile in window.grid.tiles])
        except StudioError as error:
            window.banner.say(str(error), tone="error")
            return
        window.settings = window.settings.with_source(str(path))
        window.banner.say(f"Saved {path.name}: opening it watches these sources together.")

    def _show_all(self) -> None:
        window = self._window
        window.address = window.keeping.playing = None
        window.go_to(window.grid)
        self._say_title()

    def _say_title(self) -> None:
        count = len(self._window.grid.tiles)
        self._window.say_title("1 source" if count == 1 else f"{count} sources")
