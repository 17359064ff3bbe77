"""One of several sources: its name, its picture with boxes, its figures."""

import time

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.pipeline import View
from detector.values import LabelMap
from widgets.labels import label
from widgets.scenes import scene_of
from widgets.source_words import card_words
from widgets.video_view import VideoView
from widgets.watch import Watch


class Tile(QWidget):
    """Shows a watch, until it is lent to somebody who shows it large.

    address  of the source
    wanted   the person wants it large
    left     the person wants it no more
    """

    wanted = pyqtSignal()
    left = pyqtSignal()

    def __init__(self, address: str, watch: Watch, labels: LabelMap) -> None:
        super().__init__()
        self.address, self.watch, self.labels = address, watch, labels
        self.boxes = self.names = True
        self._shown = False
        self.view = VideoView()
        self.name = QPushButton(watch.source.name)
        self.name.setFlat(True)
        self.name.setToolTip(f"Show {watch.source.name} large")
        self.name.clicked.connect(self.wanted)
        self.figures: QLabel = label("", "muted")
        head = QHBoxLayout()
        head.addWidget(self.name)
        head.addStretch(1)
        head.addWidget(self.figures)
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 2, 2, 2)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.view, 1)
        self.view.setCursor(Qt.PointingHandCursor)
        self.view.clicked.connect(lambda x, y: self.wanted.emit())
        self.view.surface_changed.connect(self._prepare_anew)
        self.view.painted.connect(watch.pipeline.mark_shown)
        self.view.card.retry.connect(watch.pipeline.try_now)
        self.view.card.leave.connect(self.left)
        self.view.card.log_in.connect(self.wanted)
        self.take_back()

    def lend(self) -> Watch:
        """The watch, for somebody who connects to it and says what pictures are prepared for."""
        self._shown = False
        self.watch.changed.disconnect(self.show_newest)
        return self.watch

    def take_back(self) -> None:
        self._shown = True
        self.watch.changed.connect(self.show_newest, Qt.QueuedConnection)
        self._prepare_anew()
        self.show_newest()

    def show_newest(self) -> None:
        newest = self.watch.newest() if self._shown else None
        if newest is None:
            return
        view, picture = newest
        if words := card_words(view, time.monotonic()):
            self.view.show_card(words)
        else:
            self.view.card.hide()
        labels = self.labels if self.boxes else None
        live = self.watch.source.live
        self.view.show_scene(scene_of(view, picture, live=live, labels=labels, names=self.names))

    def refresh(self) -> View | None:
        """What changes by the clock, not by the frame; None while another shows this source."""
        if not self._shown:
            return None
        view = self.watch.refresh()
        self.figures.setText(_figures(view))
        self.figures.setToolTip(view.detector.device)
        self.show_newest()
        return view

    def _prepare_anew(self) -> None:
        if self._shown:
            self.watch.show_on(self.view.surface())


def _figures(view: View) -> str:
    figures = view.figures
    detection = view.detector.sentence or f"{figures.detected:.0f}/s detected"
    parts = [f"{figures.shown:.0f}/s shown", detection]
    if figures.age_ms:
        parts.append(f"{figures.age_ms[0]:.0f} ms")
    return " · ".join(parts)
