"""A network in training, asked like an engine: what it would detect now."""

from collections.abc import Sequence

import keras
import numpy as np

from detector.anchors import generate
from detector.boxes import to_pixels
from detector.engines.pictures import fill
from detector.model_card import ModelCard
from detector.nms import select
from detector.scores import scores_of
from detector.values import Detections, Frame


class NetworkAnswers:
    """Detects with the weights the network has at each call; in batches of one size: it is compiled once."""

    def __init__(self, network: keras.Model, card: ModelCard, *, batch: int = 8) -> None:
        self._network = network
        self._card = card
        self._anchors = generate(card.anchors)
        self._batch = batch

    def detect(
        self, frames: Sequence[Frame], *, nms_iou: float | None, max_detections: int | None, floor: float
    ) -> list[Detections]:
        """As `detector.engines.Engine` does."""
        card = self._card
        found: list[Detections] = []
        for start in range(0, len(frames), self._batch):
            some = frames[start : start + self._batch]
            pictures = np.zeros((self._batch, *card.input_size, 3), np.uint8)
            for picture, frame in zip(pictures, some):
                fill(picture, frame, card.channel_order)
            answers = self._network.predict_on_batch(pictures.astype(np.float32))
            scores = scores_of(np.asarray(answers["logits"], np.float32), card.score_activation)
            offsets = np.asarray(answers["offsets"], np.float32)
            for frame, its_scores, its_offsets in zip(some, scores, offsets):
                kept = select(
                    its_scores,
                    its_offsets,
                    self._anchors,
                    card.variances,
                    floor=floor,
                    nms_iou=card.nms_iou if nms_iou is None else nms_iou,
                    max_detections=card.max_detections if max_detections is None else max_detections,
                )
                boxes = to_pixels(kept.boxes, frame.height, frame.width)
                found.append(Detections(boxes, kept.scores, kept.class_ids, anchor_ids=kept.anchor_ids))
        return found
