"""Targets: what the anchors should answer is what the sample holds."""

import numpy as np

from detector.anchors import generate
from detector.box_coder import decode
from detector.boxes import to_xyxy
from tests.trainer.shapes import small_card
from trainer.augmentation import Sample
from trainer.targets import NEITHER, TargetCoder


def _sample(boxes: list[list[float]], class_ids: list[int], ignored: list[bool] | None = None) -> Sample:
    return Sample(
        np.zeros((96, 192, 3), np.uint8),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(class_ids, np.int32),
        np.array(ignored or [False] * len(boxes), bool),
    )


def test_decoding_the_targets_gives_the_objects_back() -> None:
    card = small_card()
    boxes = [[10, 10, 60, 50], [100, 20, 190, 90]]
    offsets, class_ids = TargetCoder(card).encode(_sample(boxes, [1, 0]))
    anchors = generate(card.anchors)
    assert set(class_ids[class_ids > 0]) == {1, 2}
    for class_id, box in ((2, boxes[0]), (1, boxes[1])):
        mine = class_ids == class_id
        found = to_xyxy(decode(offsets[mine], anchors[mine], card.variances)) * [192, 96, 192, 96]
        np.testing.assert_allclose(found, np.tile(box, (len(found), 1)), atol=1e-3)


def test_a_picture_without_objects_is_all_background() -> None:
    offsets, class_ids = TargetCoder(small_card()).encode(_sample([], []))
    assert not class_ids.any()
    assert not offsets.any()


def test_anchors_in_a_crowd_are_neither_objects_nor_background() -> None:
    _, class_ids = TargetCoder(small_card()).encode(_sample([[0, 0, 192, 96]], [0], [True]))
    assert (class_ids == NEITHER).sum() > len(class_ids) / 2
    assert not (class_ids > 0).any()
