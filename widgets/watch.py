"""One source being watched: the pipeline on one side, a view on the other."""

import threading
from collections.abc import Sequence

from PyQt5.QtCore import QObject, pyqtSignal

from app.blur import Blur
from app.events import Regions
from app.pipeline import Choice, LivePipeline, OpenEngine, SharedEngine, View
from app.recording.sidecar import Finder
from app.sources import Source
from widgets.picture import Picture, Surface, prepare
from widgets.vigil import Vigil


class Watch(QObject):
    """Brings the newest picture from the pipeline's threads to the window's, ready to paint.

    engine, open_engine, choice, finder   see `LivePipeline`
    blur         names of the classes whose objects are made unrecognisable
    regions      zones and lines that were drawn for it
    changed      something new is in `newest`; emitted once until that is read
    """

    changed = pyqtSignal()

    def __init__(
        self,
        source: Source,
        *,
        engine: SharedEngine | None = None,
        open_engine: OpenEngine | None = None,
        choice: Choice,
        finder: Finder,
        blur: Sequence[str] = (),
        regions: Regions | None = None,
    ) -> None:
        super().__init__()
        self._lock = threading.Lock()  # guards what follows
        self._surface: Surface | None = None
        self._picture: Picture | None = None
        self._newest: View | None = None
        self._told = False
        self.source = source
        self.pipeline = LivePipeline(
            source,
            engine=engine,
            open_engine=open_engine,
            choice=choice,
            finder=finder,
            blur=Blur(blur) if blur else None,
            on_change=self._bring,
        )
        self.vigil = Vigil(self.pipeline, finder.labels, regions or Regions())

    def show_on(self, surface: Surface | None) -> None:
        """What pictures are prepared for from now on; None while nothing can be seen."""
        with self._lock:
            self._surface = surface
        self._bring()

    def newest(self) -> tuple[View, Picture | None] | None:
        """What to show now; None before anything happened."""
        with self._lock:
            self._told = False
            return (self._newest, self._picture) if self._newest else None

    def refresh(self) -> View:
        """The newest view with figures and times of this moment."""
        with self._lock:
            self._newest = self.pipeline.latest()
            return self._newest

    def _bring(self) -> None:
        """What is expensive is done here, in the pipeline's thread that brought the frame."""
        with self._lock:
            view = self._newest = self.pipeline.latest()
            made_of = self._picture and (self._picture.frame, self._picture.surface)
            if made_of != (view.frame, self._surface):
                self._picture = prepare(view.frame, self._surface) if view.frame and self._surface else None
            if self._told:
                return
            self._told = True
        self.changed.emit()
