"""The main window: start page or watched source, menus, messages, and an orderly end."""

import time
from dataclasses import replace
from pathlib import Path

from PyQt5.QtCore import QByteArray, QSize, Qt, QTimer
from PyQt5.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PyQt5.QtWidgets import QApplication, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.credentials import forget_log_in_soon
from app.events import Regions
from app.pipeline import LivePipeline, View
from app.settings import Settings
from app.sources import FoundCamera, open_source
from detector.errors import StudioError
from widgets import theme
from widgets.actions import ACTIONS
from widgets.banner import Banner
from widgets.cameras import Cameras
from widgets.drop_hint import DropHint
from widgets.help_page import AboutDialog, KeysDialog
from widgets.icons import program_icon
from widgets.incoming import address_in
from widgets.keeping import Keeping
from widgets.menus import OwnKeys, add_choices, fill_menu_bar, make_actions
from widgets.model_chooser import ModelChooser
from widgets.opening import Opening
from widgets.source_words import camera_words, recent_words
from widgets.start_page import StartPage
from widgets.watch_page import WatchPage

_END_WITHIN = 2.5  # seconds all sources together may take to end: the program has 3
_LOOK_EVERY_MS = 20
_THEMES = {"dark": "Dark", "light": "Light", "system": "As the system"}
_FIRST_SIZE = (1280, 800)


class Window(QMainWindow):
    """Knows what is open and what is being closed; the rest is done by its parts.

    models    its parent becomes the window
    settings  where it takes up again
    capture   how files and streams are read; see `app.sources.open_source`
    """

    def __init__(self, models: ModelChooser, settings: Settings, *, capture: str = "auto") -> None:
        super().__init__()
        self._say_title()
        self.setWindowIcon(program_icon())
        self.setAcceptDrops(True)
        self.settings = settings
        self.models = models
        models.setParent(self)
        self.banner = Banner()
        self.opening = Opening(self)
        self.start_page = StartPage()
        self.page = WatchPage()
        self.keeping = Keeping(self, watched=self.page.watched, banner=self.banner)
        self._capture = capture
        self._address: str | None = None
        self._ending: list[LivePipeline] = []
        self._end_by: float | None = None
        self._closed = False
        self._lay_out()
        self._connect()
        self._restore()
        self._models_changed()
        self.page.panel.set_thresholds(settings.min_score, settings.nms_iou)
        self._go_to(self.start_page)

    def _lay_out(self) -> None:
        doers = (self, self.opening, self.models, self.keeping, self.page, self.page.desk)
        parts = (self.page.playback, self.page.panel, self.page.view)
        self.actions_by_name = make_actions(self, *doers, *parts)
        self.menus = fill_menu_bar(self, self.actions_by_name)
        self.models.import_action = self.actions_by_name["import_model"]
        self.keeping.button = self.actions_by_name["toggle_recording"]
        self.page.lay_out(self.actions_by_name)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.start_page)
        self._pages.addWidget(self.page)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(self._pages, 1)
        self.setCentralWidget(middle)
        self._drop_hint = DropHint(middle)
        self._theme_actions = add_choices(self.menus["View"], "Colours", _THEMES, self.use_theme)
        for name in ("toggle_panel", "toggle_boxes", "toggle_labels"):
            self.actions_by_name[name].setChecked(True)
        OwnKeys(self).watch_over(self.page)

    def _connect(self) -> None:
        self.start_page.asked.connect(lambda name: self.actions_by_name[name].trigger())
        self.start_page.source_asked.connect(self.open_source)
        self.start_page.source_struck.connect(self._strike_source)
        self.start_page.model_asked.connect(self.models.use_model)
        self.opening.chosen.connect(lambda address, keep: self.open_source(address, keep_log_in=keep))
        self.models.changed.connect(self._models_changed)
        for speaker in (self.opening, self.models):
            speaker.told.connect(lambda sentence, tone: self.banner.say(sentence, tone=tone))
        self.models.tell_damaged()
        self.page.left.connect(self.close_source)
        self.page.failed.connect(self._source_failed)
        self.page.log_in.connect(lambda: self.opening.ask_for_log_in(self._address or ""))
        self.page.shown.connect(self.keeping.follow)
        self.page.shown.connect(self._follow_picture)
        self.page.trouble.connect(self.say_mishap)
        self.page.desk.told.connect(self.say_mishap)
        self.page.desk.regions_changed.connect(self._keep_regions)
        self.page.desk.wanted.connect(lambda: self.actions_by_name["toggle_events"].setChecked(True))
        self.page.view.double_clicked.connect(self.actions_by_name["toggle_full_screen"].toggle)
        self.page.panel.model_button.clicked.connect(
            lambda: self.models.choose_model(self.page.panel.model_button)
        )
        self._look = QTimer(self, interval=_LOOK_EVERY_MS)
        self._look.timeout.connect(self._look_after_ending)
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
        self.banner.dismiss()
        try:
            source = open_source(address, capture=self._capture, keep_log_in=keep_log_in)
        except StudioError as error:
            self.banner.say(str(error), tone="error")
            return
        self._let_go()
        self._address = address
        self.settings = self.settings.with_source(address)
        self._say_title(source.name)
        self._go_to(self.page)
        regions = self.settings.regions_of(address)
        self.page.open(source, self.models.engine_opener(), self.models.card, regions)
        if record:
            self.keeping.record(record, force=force)  # before the start, so that no frame is missed
        self.page.start()

    def say_mishap(self, sentence: str) -> None:
        """What went wrong somewhere in the program."""
        self.banner.say(sentence, tone="error")

    def close_source(self) -> None:
        """Back to the start page."""
        self.actions_by_name["toggle_full_screen"].setChecked(False)
        self._let_go()
        self._address = None
        self._say_title()
        self._go_to(self.start_page)

    def _say_title(self, *names: str) -> None:
        """The names of what is shown, the nearest first."""
        self.setWindowTitle(" – ".join((*names, "SSD Studio")))

    def _follow_picture(self, view: View) -> None:
        """In a folder the picture has a name of its own."""
        if view.frame is not None and (watched := self.page.watched()):
            self._say_title(*dict.fromkeys((view.frame.source, watched[0].source.name)))

    def _source_failed(self, sentence: str) -> None:
        """A source that never gave a picture is explained where another one can be chosen."""
        self.settings = self.settings.without_source(self.settings.recent_sources[0])
        self.close_source()
        self.banner.say(sentence, tone="error")

    def _keep_regions(self, regions: Regions) -> None:
        if self._address is not None:
            self.settings = self.settings.with_regions(self._address, regions)
            self._save()

    def _strike_source(self, address: str) -> None:
        """With all that was kept for it."""
        self.settings = self.settings.without_source(address)
        if "://" in address:
            forget_log_in_soon(address)
        self._show_recent()

    def _show_recent(self) -> None:
        self.start_page.show_recent([recent_words(address) for address in self.settings.recent_sources])

    def _show_cameras(self, cameras: list[FoundCamera]) -> None:
        self.start_page.show_cameras([camera_words(camera) for camera in cameras])

    def _go_to(self, page: QWidget) -> None:
        watching = page is self.page
        if watching:
            self._cameras.stop()
        else:
            self._show_recent()
            self._cameras.start()
        self._pages.setCurrentWidget(page)
        page.setFocus()
        for row in ACTIONS:
            if row.menu in ("Playback", "Detection") or row.name == "close_source":
                self.actions_by_name[row.name].setEnabled(watching)

    def _models_changed(self) -> None:
        card = self.models.card
        self.start_page.show_models(self.models.cards, card.name if card else None)
        self.page.use_model(self.models.engine_opener(), card)
        self.page.reasons.use(self.models.model)

    # The view.

    def toggle_full_screen(self, full: bool) -> None:
        self.menuBar().setVisible(not full)
        self.page.immerse(full)
        state = self.windowState() & ~Qt.WindowFullScreen  # a window that was maximised is so again
        self.setWindowState(state | Qt.WindowFullScreen if full else state)

    def leave(self) -> None:
        """Escape: first the message goes, then the full screen."""
        if self.banner.isVisible():
            self.banner.dismiss()
        else:
            self.actions_by_name["toggle_full_screen"].setChecked(False)

    def use_theme(self, choice: str) -> None:
        theme.apply(QApplication.instance(), choice)
        self._theme_actions[choice].setChecked(True)
        self.settings = replace(self.settings, theme=choice)

    def show_keys(self) -> None:
        KeysDialog(self).open()

    def show_about(self) -> None:
        AboutDialog(self).open()

    # Dropping.

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if address_in(event.mimeData()) is not None:
            event.acceptProposedAction()
            self._drop_hint.cover()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._drop_hint.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._drop_hint.hide()
        if (address := address_in(event.mimeData())) is not None:
            event.acceptProposedAction()
            self.open_source(address)

    # From one start to the next, and the end.

    def _restore(self) -> None:
        room = QApplication.primaryScreen().availableSize()
        self.resize(QSize(*_FIRST_SIZE).boundedTo(room))  # laptops of 1366x768 are common
        if self.settings.geometry:
            self.restoreGeometry(QByteArray.fromBase64(self.settings.geometry.encode()))
        self._theme_actions[self.settings.theme].setChecked(True)
        self.keeping.folder = self.page.desk.folder = self.settings.recording_folder
        self.page.desk.panel.keep.setChecked(self.settings.keep_events)
        self.page.desk.panel.action.setText(self.settings.on_event)

    def _save(self) -> None:
        card = self.models.card
        min_score, nms_iou = self.page.panel.thresholds
        replace(
            self.settings,
            model=card.name if card else self.settings.model,
            min_score=min_score,
            nms_iou=nms_iou,
            keep_events=self.page.desk.panel.keep.isChecked(),
            on_event=self.page.desk.panel.action.text().strip(),
            geometry=bytes(self.saveGeometry().toBase64()).decode(),
        ).save()

    def _let_go(self) -> None:
        """The source is told to end; the window does not wait for it."""
        if (pipeline := self.page.release()) is not None:
            self._ending.append(pipeline)
            pipeline.close(timeout=0.0)
            self._look.start()
        self.actions_by_name["toggle_recording"].setChecked(False)

    def _look_after_ending(self) -> None:
        for pipeline in list(self._ending):
            if pipeline.close(timeout=0.0):
                self._ending.remove(pipeline)
                self.keeping.announce(pipeline.latest().recording)
        overdue = self._end_by is not None and time.monotonic() > self._end_by
        if not self._ending or overdue:
            self._look.stop()
            if self._end_by is not None:
                self._closed = True
                self.close()

    @property
    def caught(self) -> list[str]:
        """Names of sources that have not ended, though everything was closed."""
        return [pipeline.source.name for pipeline in self._ending]

    def closeEvent(self, event: QCloseEvent) -> None:
        """Waits, with a living window, until threads have ended and files are finished, but not for ever."""
        if self._closed:
            event.accept()
            return
        event.ignore()
        if self._end_by is None:
            self.actions_by_name["toggle_full_screen"].setChecked(False)
            self._save()
            self.setEnabled(False)
            self.page.reasons.close()
            self.banner.say("Closing…")
            self._end_by = time.monotonic() + _END_WITHIN
            self.models.give_up()
            self._let_go()
            self._look.start()
