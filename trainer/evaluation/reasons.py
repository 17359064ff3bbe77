"""Why a model took what it took for what it is not, and what it made of the objects it missed."""

import numpy as np

from detector.anchors import generate
from detector.boxes import iou_matrix, to_xyxy
from detector.explain.methods import Heat
from detector.model_store import Model
from detector.values import Boxes, Detections, Frame, Pixels
from trainer.datasets import Example
from trainer.evaluation.answers import ClassMap


class Reasons:
    """Heat maps of one model, asked in the classes of a dataset.

    raises  ModelError when the model's weights cannot be read
    """

    def __init__(self, model: Model, class_map: ClassMap) -> None:
        from detector.explain.explainer import Explainer  # here: a report without reasons needs no Keras

        self._explainer = Explainer(model)
        self._anchors = to_xyxy(generate(model.card.anchors))
        self._class_map = class_map

    def of_detection(self, pixels: Pixels, detections: Detections, rank: int) -> Heat | None:
        """What spoke for a detection; None where its anchor is not known."""
        if detections.anchor_ids is None:
            return None
        return self._heat(pixels, int(detections.anchor_ids[rank]), int(detections.class_ids[rank]))

    def of_object(self, pixels: Pixels, example: Example, index: int) -> Heat | None:
        """What spoke for an object's class where it should have been seen: at its best anchor."""
        size = np.array([example.width, example.height] * 2, np.float32)
        box: Boxes = example.boxes[index : index + 1] / size
        anchor_id = int(iou_matrix(box, self._anchors)[0].argmax())
        return self._heat(pixels, anchor_id, int(example.class_ids[index]))

    def _heat(self, pixels: Pixels, anchor_id: int, class_id: int) -> Heat | None:
        its = self._class_map.in_model(class_id)
        if its is None:
            return None
        return self._explainer.explain(Frame(pixels), anchor_id=anchor_id, class_id=its).heat
