"""A model that can say why it sees a box."""

import difflib
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import numpy as np

from detector.anchors import generate
from detector.box_coder import decode
from detector.boxes import to_pixels, to_xyxy
from detector.engines.engine import FLOOR
from detector.engines.pictures import fill
from detector.errors import OptionError
from detector.explain.behind import suppressed_by
from detector.explain.explanation import Explanation
from detector.explain.guided import guided_copy
from detector.explain.methods import Heat, edges, grad_cam, normalised, odam, resized
from detector.explain.names import METHODS
from detector.explain.probe import Probe, Reading, make_probe
from detector.explain.random_masks import by_random_masks
from detector.explain.trunk import default_map, find_map, trunks
from detector.model_store import Model
from detector.networks.catalog import load_network
from detector.nms import select
from detector.scores import scores_of
from detector.values import Boxes, Detections, Frame, Ids, Pixels, Scores

Progress: TypeAlias = Callable[[int, int], None]


class Explainer:
    """One model, by Keras on TensorFlow or JAX; for one thread at a time.

    raises  ModelError when the model's weights cannot be read
    """

    def __init__(self, model: Model) -> None:
        self._card = model.card
        self._anchors = generate(model.card.anchors)
        self._ends = np.cumsum(model.card.anchors.counts)
        self._network = load_network(model)
        self._trunks = trunks(self._network)
        self._guided = cache(lambda: guided_copy(self._network))
        self._probe = cache(self._make_probe)  # a layer is compiled once

    def explain(
        self,
        frame: Frame,
        *,
        anchor_id: int,
        class_id: int,
        method: str = "odam",
        layer: str | None = None,
        progress: Progress = lambda done, total: None,
    ) -> Explanation:
        """What spoke for a class at an anchor.

        layer     for methods that read a feature map; None: the deepest that still shows places
        progress  of a slow method: steps done, and of all
        raises    OptionError for a method there is not, or a layer that the anchor's answer does not come
                  through: its gradient would be zero everywhere
        """
        if method not in METHODS:
            near = difflib.get_close_matches(method, METHODS, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"it is one of {', '.join(METHODS)}."
            raise OptionError(f"There is no method '{method}'; {hint}")
        anchor_map = int(np.searchsorted(self._ends, anchor_id, side="right"))
        trunk = self._trunks[anchor_map]
        chosen = (default_map(trunk) if layer is None else find_map(trunk, layer)).layer
        picture = self._picture(frame)

        def read(layer: str, *, guided: bool = False) -> Reading:
            return self._probe(layer, guided)(picture, anchor_id, 1 + class_id)

        def lines() -> Heat:
            return edges(read(trunk[0].layer, guided=True).gradients)

        heat: Heat
        match method:
            case "odam":
                heat = odam(*read(chosen)[:2])
            case "grad-cam":
                heat = grad_cam(*read(chosen)[:2])
            case "guided":
                heat, chosen = lines(), ""
            case "guided-grad-cam":
                heat = (fine := lines()) * resized(grad_cam(*read(chosen)[:2]), *fine.shape)
            case _:
                heat, chosen = by_random_masks(picture, self._answers, anchor_id, progress=progress), ""
        return Explanation(normalised(heat), method, chosen, anchor_id, anchor_map)

    def detect(self, frame: Frame, *, floor: float) -> Detections:
        """As `detector.engines.Engine` does, with all scores above the floor."""
        card = self._card
        offsets, scores = (each[0] for each in self._raw(self._picture(frame)[None]))
        kept = select(
            scores,
            offsets,
            self._anchors,
            card.variances,
            floor=floor,
            nms_iou=card.nms_iou,
            max_detections=card.max_detections,
        )
        boxes = to_pixels(kept.boxes, frame.height, frame.width)
        return Detections(boxes, kept.scores, kept.class_ids, anchor_ids=kept.anchor_ids)

    def suppressed_by(self, anchor_id: int, frame: Frame, *, class_id: int, nms_iou: float) -> Ids:
        """The anchors whose boxes gave way to this one's, best first."""
        boxes, scores = (each[0] for each in self._answers(self._picture(frame)[None]))
        return suppressed_by(anchor_id, boxes, scores[:, class_id], nms_iou=nms_iou, floor=FLOOR)

    def _answers(self, pictures: Pixels) -> tuple[Boxes, Scores]:
        """Boxes (n, A, 4), normalized, and scores (n, A, classes) of pictures (n, height, width, 3)."""
        offsets, scores = self._raw(pictures)
        return to_xyxy(decode(offsets, self._anchors, self._card.variances)), scores

    def _raw(self, pictures: Pixels) -> tuple[Boxes, Scores]:
        answers = self._network.predict_on_batch(pictures.astype(np.float32))
        offsets, logits = (np.asarray(answers[name], np.float32) for name in ("offsets", "logits"))
        return offsets, scores_of(logits, self._card.score_activation)

    def _picture(self, frame: Frame) -> Pixels:
        picture = np.empty((*self._card.input_size, 3), np.uint8)
        fill(picture, frame, self._card.channel_order)
        return picture

    def _make_probe(self, layer: str, guided: bool) -> Probe:
        return make_probe(self._guided() if guided else self._network, layer)
