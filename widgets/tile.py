"""One of several sources: its name, its picture with boxes, its figures."""

import time

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.pipeline import View
from app.sources import State
from detector.values import LabelMap
from widgets.banner import Banner
from widgets.labels import label
from widgets.scenes import scene_of
from widgets.source_keeping import Subject
from widgets.source_words import card_words
from widgets.video_view import VideoView
from widgets.watch import Watch

_PADDING = 40  # logical pixels of a button, beside its text


class Tile(QWidget):
    """Shows a watch, until it is lent to somebody who shows it large.

    address  of the source
    stem     what its files are called
    wanted   the person wants it large
    left     the person wants it no more
    """

    wanted = pyqtSignal()
    left = pyqtSignal()

    def __init__(self, address: str, watch: Watch, labels: LabelMap, stem: str) -> None:
        super().__init__()
        self.address, self.watch, self.labels, self.stem = address, watch, labels, stem
        self.boxes = self.names = True
        self._shown = False
        self.view = VideoView()
        self.note = Banner(self.view)
        self.name = QPushButton()
        self.name.setFlat(True)
        self.name.setToolTip(f"Show {watch.source.name} large")
        self.name.setAccessibleName(watch.source.name)
        self.name.clicked.connect(self.wanted)
        self.figures: QLabel = label("", "muted")
        self.figures.setMinimumWidth(1)  # the window may be as narrow as the pictures allow
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
        self.view.surface_changed.connect(self._place_note)
        self.view.painted.connect(watch.pipeline.mark_shown)
        self.view.card.retry.connect(watch.pipeline.try_now)
        self.view.card.leave.connect(self.left)
        self.view.card.log_in.connect(self.wanted)
        self.take_back()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The name has at most one half of the line; the figures have the rest."""
        room = self.width() // 2 - _PADDING
        self.name.setText(self.name.fontMetrics().elidedText(self.watch.source.name, Qt.ElideMiddle, room))

    @property
    def subject(self) -> Subject:
        """Of recordings and snapshots."""
        return Subject(self.watch.pipeline, self.labels, self.stem)

    def say(self, sentence: str, tone: str) -> None:
        """Over the lower edge of the picture, which does not move for it (see `Banner.say`)."""
        self.note.say(sentence, tone=tone)
        self._place_note()

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

    def _place_note(self) -> None:
        height = self.note.heightForWidth(self.view.width())
        self.note.setGeometry(0, self.view.height() - height, self.view.width(), height)

    def _prepare_anew(self) -> None:
        if self._shown:
            self.watch.show_on(self.view.surface())


def _figures(view: View) -> str:
    if view.status.state is State.ENDED:
        return "ended"
    figures = view.figures
    detection = view.detector.sentence or f"{figures.detected:.0f}/s detected"
    parts = [f"{figures.shown:.0f}/s shown", detection]
    if figures.age_ms:
        parts.append(f"{figures.age_ms[0]:.0f} ms")
    return " · ".join(parts)
