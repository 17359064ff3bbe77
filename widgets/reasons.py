"""A click on a box of a standing picture: why it is there."""

from dataclasses import replace

import numpy as np
from PyQt5.QtCore import QObject, pyqtSignal

from app.explaining import Answer, Explaining, Question
from app.overlay import label_of
from app.pipeline import View
from detector.anchors import generate
from detector.boxes import to_xyxy
from detector.model_store import Model
from detector.values import Detections, Frame, LabelMap
from widgets.reason_card import ReasonCard
from widgets.reason_painter import Reason, heat_image
from widgets.video_view import VideoView

_MARGIN = 12
_LOADING = "The model is made ready to be asked; about ten seconds the first time."


class Reasons(QObject):
    """Asks in the background, and shows the answer for as long as the picture stands.

    changed  something else is to be painted over the picture
    """

    changed = pyqtSignal()
    _told = pyqtSignal(object, object)

    def __init__(self, view: VideoView) -> None:
        super().__init__(view)
        self.card = ReasonCard(view)
        self._view = view
        self._model: Model | None = None
        self._explaining: Explaining | None = None
        self._over: Frame | None = None  # the picture that was clicked on
        self._question: Question | None = None
        self._title = self._carried = ""
        self._shown: Reason | None = None
        self._told.connect(self._answered)  # from the thread that asks into the window's
        self.card.changed.connect(self.changed)
        self.card.closed.connect(self.forget)
        view.surface_changed.connect(self._place)

    def use(self, model: Model | None) -> None:
        """The model whose boxes are clicked from now on."""
        self._model = model
        self.forget()

    def ask(self, seen: View, x: float, y: float, *, labels: LabelMap, nms_iou: float) -> None:
        """Why the box at this place of the frame, in pixels; the smallest where several lie there.

        labels  of the boxes: those of a recording may be another model's
        """
        self.forget()
        index = _box_at(seen.detections, x, y)
        if index is None or seen.frame is None or self._model is None:
            return
        found = seen.detections
        self._over, self._title = seen.frame, label_of(found, index, labels)
        if found.anchor_ids is None or found.anchor_ids[index] < 0 or seen.found_on is None:
            self._say("It is not known which anchor this box comes from, so it cannot be explained.")
            return
        before = seen.frame.captured_at - seen.found_on.captured_at
        self._carried = (
            ""
            if seen.own_boxes
            else f" Carried here from a picture {before:.2f} s before: that one is explained."
        )
        self._question = Question(
            model=self._model,
            frame=seen.found_on,
            anchor_id=int(found.anchor_ids[index]),
            class_id=int(found.class_ids[index]),
            nms_iou=nms_iou,
        )
        if self._explaining is None:
            self._explaining = Explaining(self._told.emit)
        self._explaining.ask(self._question)
        self._say(_LOADING)

    def over(self, frame: Frame | None) -> Reason | None:
        """What lies over a picture; the next picture has nothing over it."""
        if self._over is not None and frame is not self._over:
            self.forget()
        if self._shown is None:
            return None
        shown, card = self._shown, self.card
        return replace(
            shown,
            opacity=card.opacity.value() / 100,
            anchors=shown.anchors[: None if card.anchors.isChecked() else 0],
            grid=shown.grid[: None if card.grid.isChecked() else 0],
        )

    def forget(self) -> None:
        """The picture as it was."""
        was, self._shown = self._over, None
        self._over = self._question = None
        self.card.hide()
        if was is not None:
            self.changed.emit()

    def close(self) -> None:
        if self._explaining is not None:
            self._explaining.close()

    def _answered(self, question: Question, answer: Answer | str) -> None:
        if question is not self._question:  # another box was clicked meanwhile
            return
        if isinstance(answer, str):
            self._say(answer)
            return
        explanation, layout = answer.explanation, question.model.card.anchors
        frame = question.frame
        ids = [explanation.anchor_id, *answer.suppressed.tolist()]
        anchors = to_xyxy(generate(layout)) * np.array([frame.width, frame.height] * 2, np.float32)
        first = sum(layout.counts[: explanation.anchor_map])
        shapes = layout.boxes_per_cell[explanation.anchor_map]
        self._shown = Reason(
            heat=heat_image(explanation.heat, frame.height, frame.width),
            opacity=1.0,
            anchors=anchors[ids],
            grid=anchors[first:][: layout.counts[explanation.anchor_map]],
            shapes=shapes,
            cell=(explanation.anchor_id - first) // shapes,
        )
        height, width = layout.map_shapes[explanation.anchor_map]
        rows, columns = explanation.heat.shape
        warm = "where it is warm spoke for it" if explanation.heat.any() else "nothing there spoke for it"
        self._say(
            f"Anchor {explanation.anchor_id} of map {explanation.anchor_map + 1} ({height}×{width} cells), "
            f"read at {explanation.layer} ({rows}×{columns}): {warm}. {len(answer.suppressed)} other anchors "
            f"said the same.{self._carried}"
        )
        self.changed.emit()

    def _say(self, sentence: str) -> None:
        self.card.say(self._title, sentence, answered=self._shown is not None)
        self._place()

    def _place(self) -> None:
        self.card.move(self._view.width() - self.card.width() - _MARGIN, _MARGIN)


def _box_at(detections: Detections, x: float, y: float) -> int | None:
    """The smallest box around a place."""
    x1, y1, x2, y2 = detections.boxes.T
    around = np.flatnonzero((x1 <= x) & (x <= x2) & (y1 <= y) & (y <= y2))
    if not len(around):
        return None
    return int(around[((x2 - x1) * (y2 - y1))[around].argmin()])
