"""A recording played with the boxes that were kept beside it, and looked through for what appears."""

from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal

from app.pipeline import Choice, LivePipeline, OpenEngine
from app.recording.sidecar import Finder
from app.recording.sidecar_reading import RecordedEngine, Sidecar, find_sidecar, read_finder
from detector.engines import Engine
from detector.errors import RecordingError


class Replay(QObject):
    """Methods of the table of actions; they do something while a recording with boxes is played.

    pipeline  what is watched
    choice    what of it is to be seen
    told      a sentence for the person
    """

    told = pyqtSignal(str)

    def __init__(
        self, pipeline: Callable[[], LivePipeline | None], choice: Callable[[], Choice], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._pipeline, self._choice = pipeline, choice
        self._sidecar: Sidecar | None = None

    def open(self, clip: Path | None) -> tuple[OpenEngine, Finder] | None:
        """What answers with the boxes of a recording, and who found them; None where there are none.

        The file is read by whoever calls what is returned: it may take its time.
        """
        self._sidecar = None
        path = find_sidecar(clip) if clip else None
        if path is None:
            return None
        try:
            finder = read_finder(path)
        except RecordingError as error:
            self.told.emit(str(error))
            return None
        if not finder.labels.names:  # lines of something else, which only happen to be called so
            return None
        return lambda: self._read(path), finder

    def find_next(self) -> None:
        """The next appearance of something chosen."""
        self._go(1)

    def find_previous(self) -> None:
        self._go(-1)

    def _read(self, path: Path) -> Engine:
        self._sidecar = sidecar = Sidecar(path)
        return RecordedEngine(sidecar)

    def _go(self, direction: int) -> None:
        pipeline, choice = self._pipeline(), self._choice()
        if pipeline is None or (frame := pipeline.latest().frame) is None:
            return
        if self._sidecar is None:
            self.told.emit("Only a recording with its boxes beside it can be looked through.")
            return
        times = self._sidecar.appearances(min_score=choice.min_score, class_ids=choice.class_ids)
        later, earlier = times[times > frame.pts + 0.002], times[times < frame.pts - 0.002]
        if direction > 0 and len(later):
            pipeline.seek(float(later[0]))
        elif direction < 0 and len(earlier):
            pipeline.seek(float(earlier[-1]))
        else:
            where = "after" if direction > 0 else "before"
            self.told.emit(f"Nothing more of what is chosen appears {where} this.")
