"""Watching one source: the picture, what can be done with it, and what is measured."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from PyQt5.QtCore import Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QAction, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from app.events import Regions
from app.pipeline import Choice, DetectorState, DetectorStatus, LivePipeline, OpenEngine, View
from app.recording.sidecar import Finder, finder_of
from app.sources import Source, State
from detector.model_card import ModelCard
from detector.values import LabelMap
from widgets.detection_panel import DetectionPanel
from widgets.events_desk import EventsDesk
from widgets.figures_bar import FiguresBar
from widgets.playback import SPEEDS, Playback
from widgets.reasons import Reasons
from widgets.scenes import scene_of
from widgets.source_words import card_words, statistics
from widgets.start_up import note_once
from widgets.transport import Transport
from widgets.video_view import Scene, VideoView
from widgets.watch import Watch

_FIGURES_EVERY_MS = 250
_WIDTH_FOR_PANEL = 640  # logical pixels: below, the picture has them all
_CONTROLS_STAY_MS = 2500  # in full screen, after the mouse has come to rest


class WatchPage(QWidget):
    """Everything between the menu bar and the lower edge while a source is watched.

    left     the person wants the start page
    log_in   the person wants to give another name and password
    failed   a sentence: the source never gave a picture and never will
    trouble  a sentence about the detector
    shown    a view with the figures of this moment, four times a second
    """

    left = pyqtSignal()
    log_in = pyqtSignal()
    failed = pyqtSignal(str)
    trouble = pyqtSignal(str)
    shown = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = VideoView()
        self.panel = DetectionPanel()
        self.figures = FiguresBar()
        self.reasons = Reasons(self.view)
        self.playback = Playback(self._pipeline, self)
        self.desk = EventsDesk(self.view, self)
        self.blur: tuple[str, ...] = ()  # names of classes, from the next source on
        self._watch: Watch | None = None
        self._owned: Watch | None = None  # what is watched, unless it is borrowed
        self._labels = LabelMap(())
        self._boxes = self._names = True
        self._panel = True  # wanted; shown where there is room
        self._statistics = self._immersed = False
        self._detector: DetectorStatus | None = None  # as it was last
        self._view: View | None = None  # what was shown last

        self.panel.thresholds_changed.connect(self._choose)
        self.panel.classes_changed.connect(self._choose)
        self.view.surface_changed.connect(self._prepare_anew)
        self.view.surface_changed.connect(self._place_controls)
        self.view.painted.connect(self._painted)
        self.view.moved_over.connect(self._show_controls)
        self.view.clicked.connect(self._ask_why)
        self.reasons.changed.connect(self._show_newest)
        self.view.card.retry.connect(self.playback.try_now)
        self.view.card.leave.connect(self.left)
        self.view.card.log_in.connect(self.log_in)
        self._timer = QTimer(self, interval=_FIGURES_EVERY_MS)
        self._timer.timeout.connect(self._refresh)
        self._rest = QTimer(self, interval=_CONTROLS_STAY_MS, singleShot=True)
        self._rest.timeout.connect(self._hide_controls)

    def lay_out(self, actions: Mapping[str, QAction]) -> None:
        """Builds the page around the buttons of these actions."""
        self.transport = Transport(actions)
        self.transport.sought.connect(self.playback.seek)
        speeds = QMenu(self.transport.speed)
        for speed in SPEEDS:
            speeds.addAction(f"{speed:g}×", lambda speed=speed: self.playback.set_speed(speed))
        self.transport.speed.setMenu(speeds)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.view, 1)
        middle.addWidget(self.desk.panel)
        middle.addWidget(self.panel)
        self.panel.setFixedWidth(self.panel.sizeHint().width())
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addLayout(middle, 1)
        self._column.addWidget(self.transport)
        self._column.addWidget(self.figures)

    # The source.

    def open(
        self,
        source: Source,
        open_engine: OpenEngine | None,
        card: ModelCard | Finder | None,
        regions: Regions | None = None,
    ) -> None:
        """Makes ready to watch a source with a model; the one before must have been released.

        card     of the model; or who found the boxes of a recording
        regions  zones and lines that were drawn for it
        """
        finder = finder_of(card)
        if finder.labels != self._labels:
            self.panel.show_model(card)
        self._labels = finder.labels
        watch = Watch(
            source,
            open_engine=open_engine,
            choice=self.choice(),
            finder=finder,
            blur=self.blur,
            regions=regions,
        )
        self.borrow(watch)
        self._owned = watch

    def borrow(self, watch: Watch) -> None:
        """Likewise, what is another's and may be running already."""
        self._watch = watch
        self._detector = None
        watch.pipeline.choose(self.choice())
        watch.changed.connect(self._show_newest, Qt.QueuedConnection)
        self.desk.open(watch.vigil, self._labels)
        self.view.reset_zoom()
        watch.show_on(self.view.surface())

    def start(self) -> None:
        """Opens what was made ready."""
        if self._watch is not None:
            self._watch.pipeline.start()
            self.go_on()

    def go_on(self) -> None:
        """Shows what was borrowed."""
        self._timer.start()
        self._refresh()

    def release(self) -> LivePipeline | None:
        """Lets go of the source; whoever asked closes it."""
        self.reasons.forget()
        watch, self._watch = self._watch, None
        self._timer.stop()
        self.desk.release()
        self.view.card.hide()
        self.view.show_scene(Scene())
        owned, self._owned = self._owned, None
        if owned is not None:
            owned.vigil.close()
        if watch is None:
            return None
        watch.changed.disconnect(self._show_newest)
        return watch.pipeline

    def watched(self) -> tuple[LivePipeline, LabelMap] | None:
        """What is being watched and the names of its classes; None without a source."""
        return (self._watch.pipeline, self._labels) if self._watch else None

    def use_model(self, open_engine: OpenEngine | None, card: ModelCard | None) -> None:
        """Another model for what is being watched; the video goes on while it loads."""
        self._labels = LabelMap(card.classes if card else ())
        self.panel.show_model(card)
        self.desk.use_labels(self._labels)
        if self._watch and open_engine:
            self._watch.pipeline.use_engine(open_engine, finder=finder_of(card))
            self._watch.refresh()  # boxes brought before are the other model's, and so are their class ids
        self._choose()

    # Actions.

    def find_class(self) -> None:
        self.panel.show()  # even where there is little room
        self.panel.find_class()

    def toggle_panel(self, shown: bool) -> None:
        self._panel = shown
        self._make_room()

    def toggle_boxes(self, shown: bool) -> None:
        self._boxes = shown
        self._show_newest()

    def toggle_labels(self, shown: bool) -> None:
        self._names = shown
        self._show_newest()

    def toggle_statistics(self, shown: bool) -> None:
        self._statistics = shown
        self._show_newest()

    # Showing.

    def _show_newest(self) -> None:
        newest = self._watch.newest() if self._watch else None
        if newest is None:
            return
        view, picture = newest
        self._view = view
        if words := card_words(view, time.monotonic()):
            self.view.show_card(words)
        else:
            self.view.card.hide()
        live = self._watch is not None and self._watch.source.live
        labels = self._labels if self._boxes else None
        self.view.show_scene(
            replace(
                scene_of(view, picture, live=live, labels=labels, names=self._names),
                statistics=statistics(view) if self._statistics else (),
                reason=self.reasons.over(view.frame),
            )
        )

    def _refresh(self) -> None:
        """What changes by the clock, not by the frame."""
        if self._watch is None:
            return
        view = self._watch.refresh()
        given_up = view.status.is_final and view.status.state is not State.ENDED
        if given_up and view.frame is None:
            self.failed.emit(view.status.sentence)
            return
        self._show_newest()
        self.figures.show_figures(view.figures, view.detector)
        standing = view.paused or view.status.state is State.ENDED
        self.transport.show_playing(standing=standing, speed=view.speed)
        self.transport.show_position(view.frame.pts if view.frame else 0.0, view.duration)
        self.transport.show_kind(
            live=self._watch.source.live,
            seekable=view.seekable,
            timed=view.duration is not None,
            words=view.status.sentence,
        )
        self.panel.classes.show_counts(Counter(view.detections.class_ids.tolist()))
        if view.detector != self._detector:
            self._detector = view.detector
            if view.detector.state is DetectorState.FAILED:
                self.trouble.emit(view.detector.sentence)
        self.desk.refresh()
        self.shown.emit(view)

    def _ask_why(self, x: float, y: float) -> None:
        """A moving picture would be gone before the answer comes."""
        view = self._view
        if self._boxes and view is not None and (view.paused or view.status.state is State.ENDED):
            self.reasons.ask(view, x, y, labels=self._labels, nms_iou=self.panel.nms_iou.value)

    def _painted(self, sequence: int) -> None:
        if self._watch is not None:
            self._watch.pipeline.mark_shown(sequence)
            note_once("First picture painted")
            if self._view and len(self._view.detections):
                note_once("First boxes painted")

    def _prepare_anew(self) -> None:
        if self._watch is not None:
            self._watch.show_on(self.view.surface())

    def choice(self) -> Choice:
        """What the panel says is to be seen."""
        panel = self.panel
        hidden, count = panel.classes.hidden, len(self._labels)
        return Choice(
            min_score=panel.min_score.value,
            nms_iou=panel.nms_iou.value,
            max_detections=panel.max_detections,
            class_ids=frozenset(range(count)) - hidden if hidden else None,
        )

    def _choose(self) -> None:
        if self._watch is not None:
            self._watch.pipeline.choose(self.choice())

    def _pipeline(self) -> LivePipeline | None:
        return self._watch.pipeline if self._watch else None

    # Full screen.

    def immerse(self, alone: bool) -> None:
        """The picture alone on the screen; the controls come over it while the mouse moves."""
        self._immersed = alone
        self._make_room()
        self.figures.setVisible(not alone)
        if alone:
            self._column.removeWidget(self.transport)
            self.transport.setParent(self.view)
            self._show_controls()
        else:
            self._rest.stop()
            self._column.insertWidget(1, self.transport)
            self.transport.show()
            self.view.unsetCursor()

    def _show_controls(self) -> None:
        if self._immersed:
            self._place_controls()
            self.transport.show()
            self.view.unsetCursor()
            self._rest.start()

    def _place_controls(self) -> None:
        """Along the lower edge of the picture, however wide the panel beside it leaves it."""
        if self._immersed:
            height = self.transport.sizeHint().height()
            self.transport.setGeometry(0, self.view.height() - height, self.view.width(), height)

    def _hide_controls(self) -> None:
        if self._immersed and not self.transport.underMouse():
            self.transport.hide()
            self.view.setCursor(Qt.BlankCursor)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()
        self._show_controls()

    def _make_room(self) -> None:
        room = not self._immersed and self.width() >= _WIDTH_FOR_PANEL
        self.panel.setVisible(self._panel and room)
        self.desk.make_room(room)
