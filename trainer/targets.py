"""What each anchor of a network should answer for a sample."""

import numpy as np

from detector.anchors import generate
from detector.box_coder import encode
from detector.boxes import to_cxcywh
from detector.matching import match
from detector.model_card import ModelCard
from detector.values import Boxes, Ids
from trainer.augmentation import Sample

# Class targets of an anchor: 0 background, 1 + class id, or
NEITHER = -1  # neither positive nor negative: the loss leaves it out


class TargetCoder:
    """Matches the objects of a sample with the anchors of a card, and says it as offsets and classes."""

    def __init__(self, card: ModelCard) -> None:
        self._anchors = generate(card.anchors)
        self._variances = card.variances
        self.anchors = len(self._anchors)

    def encode(self, sample: Sample) -> tuple[Boxes, Ids]:
        """Targets of the sample as it is now, in whatever size.

        returns  offsets (a, 4) float32, 0 where there is no object; class targets (a,) int32
        """
        size = np.array([sample.width, sample.height] * 2, np.float32)
        normalized = sample.boxes / size
        matches = match(normalized, self._anchors, ignored=sample.ignored)
        offsets = np.zeros((self.anchors, 4), np.float32)
        class_ids = np.where(matches.negatives, 0, NEITHER).astype(np.int32)
        positive = matches.positives
        objects = matches.object_ids[positive]
        if len(objects):
            class_ids[positive] = 1 + sample.class_ids[objects]
            offsets[positive] = encode(
                to_cxcywh(normalized[objects]), self._anchors[positive], self._variances
            )
        return offsets, class_ids
