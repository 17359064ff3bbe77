"""The main window: start page or watched source, menus, messages, and an orderly end."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtGui import QCloseEvent
from PyQt5.QtWidgets import QApplication, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.credentials import forget_log_in_soon
from app.events import Regions
from app.pipeline import BATCH, LivePipeline, View
from app.settings import Settings
from app.source_sets import is_set
from app.sources import FoundCamera, Source, open_source, path_of, warm_up
from detector.errors import StudioError
from widgets import theme
from widgets.actions import ACTIONS
from widgets.banner import Banner
from widgets.cameras import Cameras
from widgets.dialogs import ask
from widgets.drop_hint import DropHint
from widgets.ending import Ending
from widgets.grid_page import GridPage
from widgets.help_page import AboutDialog, KeysDialog
from widgets.icons import program_icon
from widgets.keeping import Keeping
from widgets.menus import OwnKeys, add_choices, fill_menu_bar, make_actions
from widgets.model_chooser import ModelChooser
from widgets.opening import Opening
from widgets.recovering import Recovering
from widgets.remembering import as_it_stands, take_up
from widgets.replay import Replay
from widgets.side_by_side import SideBySide
from widgets.source_words import camera_words, recent_words
from widgets.start_page import StartPage
from widgets.watch_page import WatchPage

_END_WITHIN = 2.5  # seconds all sources together may take to end: the program has 3
_THEMES = {"dark": "Dark", "light": "Light", "system": "As the system"}


class Window(QMainWindow):
    """Knows what is open and what is being closed; the rest is done by its parts.

    models    its parent becomes the window
    settings  where it takes up again
    capture   how files and streams are read; see `app.sources.open_source`
    blur      names of the classes whose objects are made unrecognisable
    """

    def __init__(
        self, models: ModelChooser, settings: Settings, *, capture: str = "auto", blur: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.say_title()
        self.setWindowIcon(program_icon())
        self.settings = settings
        self.models = models
        models.setParent(self)
        self.banner = Banner()
        self.opening = Opening(self)
        self.start_page = StartPage()
        self.page = WatchPage()
        self.grid = GridPage()
        self.together = SideBySide(self)
        self.ending = Ending(self)
        self.keeping = Keeping(self, shown=self.together.shown, banner=self.banner)
        self.replay = Replay(self.page.playback.pipeline, self.page.choice, self)
        self.recovering = Recovering(self, self.banner)
        self.page.blur = self.grid.blur = tuple(blur)
        self.capture = capture
        self.address: str | None = None  # of the one source shown; it may hold a name and password
        self._found: tuple[str, ...] = ()  # cameras of this computer
        self._closing = self._closed = False
        self._lay_out()
        self._connect()
        take_up(self, settings)
        self._models_changed()
        self.page.panel.set_thresholds(settings.min_score, settings.nms_iou)
        self.go_to(self.start_page)

    def _lay_out(self) -> None:
        doers = (self, self.opening, self.together, self.models, self.keeping, self.replay)
        parts = (self.page, self.page.desk, self.page.playback, self.page.panel, self.page.view)
        self.actions_by_name = make_actions(self, *doers, *parts)
        self.menus = fill_menu_bar(self, self.actions_by_name)
        self.models.import_action = self.actions_by_name["import_model"]
        self.keeping.button = self.actions_by_name["toggle_recording"]
        self.page.lay_out(self.actions_by_name)
        self.grid.lay_out(self.actions_by_name)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.start_page)
        self._pages.addWidget(self.page)
        self._pages.addWidget(self.grid)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(self._pages, 1)
        self.setCentralWidget(middle)
        DropHint(middle, self).dropped.connect(self.open_dropped)
        self.theme_actions = add_choices(self.menus["View"], "Colours", _THEMES, self.use_theme)
        for name in ("toggle_panel", "toggle_boxes", "toggle_labels"):
            self.actions_by_name[name].setChecked(True)
        OwnKeys(self).watch_over(self.page)

    def _connect(self) -> None:
        self.start_page.asked.connect(lambda name: self.actions_by_name[name].trigger())
        self.start_page.source_asked.connect(self.open_source)
        self.start_page.source_struck.connect(self._strike_source)
        self.start_page.model_asked.connect(self.models.use_model)
        self.opening.chosen.connect(lambda address, keep: self.open_source(address, keep_log_in=keep))
        self.opening.answered.connect(self.together.log_in)
        self.opening.together.connect(self.together.open)
        self.models.changed.connect(self._models_changed)
        for speaker in (self.opening, self.models):
            speaker.told.connect(lambda sentence, tone: self.banner.say(sentence, tone=tone))
        self.models.tell_damaged()
        self.page.left.connect(self._leave_page)
        self.page.failed.connect(self._source_failed)
        self.page.log_in.connect(lambda: self.opening.ask_for_log_in(self.address or ""))
        self.page.shown.connect(self.keeping.follow)
        self.keeping.changed.connect(self.remember)
        self.replay.told.connect(self.banner.say)
        self.page.shown.connect(self._follow_picture)
        self.page.trouble.connect(self.say_mishap)
        self.page.desk.told.connect(self.say_mishap)
        self.page.desk.regions_changed.connect(self._keep_regions)
        self.page.desk.wishes_changed.connect(self.together.keep_events)
        self.page.desk.wanted.connect(lambda: self.actions_by_name["toggle_events"].setChecked(True))
        self.page.view.double_clicked.connect(self.actions_by_name["toggle_full_screen"].toggle)
        self.page.panel.model_button.clicked.connect(
            lambda: self.models.choose_model(self.page.panel.model_button)
        )
        self.together.connect()
        self.ending.done.connect(self._ended)
        self._overdue = QTimer(self, interval=int(_END_WITHIN * 1000), singleShot=True)
        self._overdue.timeout.connect(self._end)
        self._cameras = Cameras(self)
        self._cameras.found.connect(self._show_cameras)

    # Sources.

    def open_source(
        self, address: str, record: Path | None = None, *, force: bool = False, keep_log_in: bool = False
    ) -> None:
        """Watches what lies at an address; what was watched before is let go.

        record       written from the first frame on
        force        replace it if it exists
        keep_log_in  for the next time, once it has worked
        """
        if is_set(address):
            self.together.open([address])
            return
        source = self.source_at(address, keep_log_in=keep_log_in)
        if source is None:
            return
        self.let_go()
        self.address = address
        self.settings = self.settings.with_source(address)
        self.say_title(source.name)
        self.go_to(self.page)
        regions = self.settings.regions_of(address)
        self.keeping.playing = path = path_of(address)
        recorded = self.replay.open(path)
        opener, card = recorded or (self.models.engine_opener(), self.models.card)
        self.page.open(source, opener, card, regions)
        if record:
            self.keeping.record(record, force=force, then=self.page.start)  # so that no frame is missed
        else:
            self.page.start()

    def source_at(self, address: str, *, keep_log_in: bool) -> Source | None:
        """What lies at an address, not opened yet; None, with a word, where that can be nothing."""
        self.banner.dismiss()
        try:
            return open_source(address, capture=self.capture, keep_log_in=keep_log_in)
        except StudioError as error:
            self.banner.say(str(error), tone="error")
            return None

    def open_dropped(self, addresses: Sequence[str]) -> None:
        if len(addresses) == 1:
            self.open_source(addresses[0])
        else:
            self.together.open(addresses)

    def _leave_page(self) -> None:
        if self.grid.large is None:
            self.close_source()
        else:
            self.together.show_grid()

    def say_mishap(self, sentence: str) -> None:
        """What went wrong somewhere in the program."""
        self.banner.say(sentence, tone="error")

    def close_source(self) -> None:
        """Back to the start page."""
        self.actions_by_name["toggle_full_screen"].setChecked(False)
        self.let_go()
        self.address = None
        self.say_title()
        self.go_to(self.start_page)

    def say_title(self, *names: str) -> None:
        """The names of what is shown, the nearest first."""
        self.setWindowTitle(" – ".join((*names, "SSD Studio")))

    def _follow_picture(self, view: View) -> None:
        """In a folder the picture has a name of its own."""
        if view.frame is not None and (watched := self.page.watched()):
            self.say_title(*dict.fromkeys((view.frame.source, watched[0].source.name)))

    def _source_failed(self, sentence: str) -> None:
        """A source that never gave a picture is explained where another one can be chosen."""
        if self.grid.large is not None:
            self.together.show_grid()  # its place there says it
            return
        self.settings = self.settings.without_source(self.settings.recent_sources[0])
        self.close_source()
        self.banner.say(sentence, tone="error")

    def _keep_regions(self, regions: Regions) -> None:
        if self.address is not None:
            self.settings = self.settings.with_regions(self.address, regions)
            self.remember()

    def _strike_source(self, address: str) -> None:
        """With all that was kept for it."""
        self.settings = self.settings.without_source(address)
        if "://" in address:
            forget_log_in_soon(address)
        self._show_recent()

    def _show_recent(self) -> None:
        self.start_page.show_recent([recent_words(address) for address in self.settings.recent_sources])
        self._offer()

    def _show_cameras(self, cameras: list[FoundCamera]) -> None:
        self.start_page.show_cameras([camera_words(camera) for camera in cameras])
        self._found = tuple(camera.address for camera in cameras)
        self._offer()

    def _offer(self) -> None:
        """What may be wanted where several are chosen."""
        recent = [address for address in self.settings.recent_sources if not is_set(address)]
        self.opening.offered = tuple(dict.fromkeys((*self._found, *recent)))

    def go_to(self, page: QWidget) -> None:
        watching = page is self.page
        if page is self.start_page:
            self._show_recent()
            self._cameras.start()
            warm_up()  # what is chosen next opens at once
        else:
            self._cameras.stop()
        self._pages.setCurrentWidget(page)
        page.setFocus()
        for row in ACTIONS:
            if row.menu in ("Playback", "Detection"):
                together = row.together and page is self.grid
                self.actions_by_name[row.name].setEnabled(watching or together)
        self.actions_by_name["close_source"].setEnabled(page is not self.start_page)
        self.actions_by_name["save_together"].setEnabled(bool(self.grid.tiles))
        self.actions_by_name["show_grid"].setEnabled(watching and self.grid.large is not None)
        self.keeping.show_state()

    def _models_changed(self) -> None:
        card = self.models.card
        self.start_page.show_models(self.models.cards, card.name if card else None)
        if self.grid.tiles:
            self.grid.use_model(self.models.engine_opener(batch=min(len(self.grid.tiles), BATCH)), card)
        self.page.use_model(None if self.grid.tiles else self.models.engine_opener(), card)
        self.page.reasons.use(self.models.model)

    # The view.

    def toggle_full_screen(self, full: bool) -> None:
        self.menuBar().setVisible(not full)
        self.page.immerse(full)
        state = self.windowState() & ~Qt.WindowFullScreen  # a window that was maximised is so again
        self.setWindowState(state | Qt.WindowFullScreen if full else state)

    def leave(self) -> None:
        """Escape: first the message goes, then the full screen, then one of several for all of them."""
        full_screen = self.actions_by_name["toggle_full_screen"]
        if self.banner.isVisible():
            self.banner.dismiss()
        elif full_screen.isChecked():
            full_screen.setChecked(False)
        else:
            self.together.show_grid()

    def remember(self) -> None:
        """Keeps for the next start how it stands now."""
        as_it_stands(self).save()

    def use_theme(self, choice: str) -> None:
        theme.apply(QApplication.instance(), choice)
        self.theme_actions[choice].setChecked(True)
        self.settings = replace(self.settings, theme=choice)

    def show_keys(self) -> None:
        ask(KeysDialog(self))

    def show_about(self) -> None:
        ask(AboutDialog(self))

    # The end.

    def let_go(self) -> None:
        """What is watched is told to end; the window does not wait for it."""
        pipeline = self.page.release()
        if self.grid.tiles:
            pipelines, engine = self.grid.release()
            for each in pipelines:
                self.end_soon(each)
            self.ending.add("the detector", engine)
        elif pipeline is not None:
            self.end_soon(pipeline)

    def end_soon(self, pipeline: LivePipeline) -> None:
        """This one is told to end; what it has recorded is announced when it has."""
        kept = self.keeping.let_go(pipeline)
        self.ending.add(pipeline.source.name, pipeline, lambda: kept.look(pipeline.latest().recording))
        self.ending.add(f"what is saved of {pipeline.source.name}", kept)

    def _ended(self) -> None:
        if self._closing:
            self._end()

    def _end(self) -> None:
        self._closed = True
        self.close()

    @property
    def caught(self) -> list[str]:
        """Names of what has not ended, though everything was closed."""
        return self.ending.names

    def closeEvent(self, event: QCloseEvent) -> None:
        """Waits, with a living window, until threads have ended and files are finished, but not for ever."""
        if self._closed:
            event.accept()
            return
        event.ignore()
        if not self._closing:
            self.actions_by_name["toggle_full_screen"].setChecked(False)
            self.remember()
            self.setEnabled(False)
            self.page.reasons.close()
            self.banner.say("Closing…")
            self._closing = True
            self._overdue.start()
            self.models.give_up()
            self.let_go()
            self.ending.add("the star of a recording", self.keeping.starring)
