"""Who takes part in NMS: our rule (the best 1000 pairs of anchor and class) against the original's.

Caffe lets the best 400 of each class in and keeps 200 over all classes. On 600 test pictures of VOC 2007,
with the imported COCO model and its 80 classes, both must measure the same. They do (VOC07 mAP 0.61868 and
0.61869), although every picture has more than 1000 scores above the floor.

  python -m pytest -m slow -s tests/oracles/test_candidate_rule.py
"""

import keras
import numpy as np
import pytest

from detector.anchors import generate
from detector.box_coder import decode
from detector.boxes import to_pixels, to_xyxy
from detector.class_names import Aliases
from detector.engines.pictures import fill
from detector.importers import import_file
from detector.model_store import save_model
from detector.networks.catalog import load_network
from detector.nms import nms, select
from detector.pictures import read_picture
from detector.values import Detections, Frame
from trainer.datasets import open_dataset
from trainer.evaluation.answers import ClassMap
from trainer.evaluation.evaluation import evaluate

FLOOR, NMS_IOU, PER_CLASS, KEPT = 0.01, 0.45, 400, 200


def original(scores, boxes):
    """Caffe's DetectionOutput: of each class the top 400, NMS; then the best 200 of all classes."""
    rows = []
    for class_id in range(scores.shape[1]):
        above = np.flatnonzero(scores[:, class_id] > FLOOR)
        best = above[np.argsort(-scores[above, class_id], kind="stable")[:PER_CLASS]]
        values = scores[best, class_id]
        kept = best[nms(boxes[best], values, np.zeros(len(best), int), nms_iou=NMS_IOU)]
        rows += [(scores[anchor, class_id], class_id, anchor) for anchor in kept]
    rows.sort(key=lambda row: -row[0])
    chosen = rows[:KEPT]
    anchors = [anchor for _, _, anchor in chosen]
    return boxes[anchors], np.float32([s for s, _, _ in chosen]), np.int32([c for _, c, _ in chosen])


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_both_rules_measure_the_same(shared):
    imported = import_file(shared / "models" / "coco_ssd_mobilenet_v1_quant.tflite", name="coco")
    model = save_model(imported.card, imported.weights)
    card, network = model.card, load_network(model)
    anchors = generate(card.anchors)
    dataset = open_dataset(shared / "data" / "voc2007", split="test")
    class_map = ClassMap.between(model.labels, dataset.labels, Aliases.shipped())
    found: dict[str, list[Detections]] = {"original": [], "ours": []}
    crowded = 0
    for start in range(0, len(dataset), 8):
        frames = [Frame(read_picture(example.path)) for example in dataset.examples[start : start + 8]]
        pictures = np.zeros((len(frames), *card.input_size, 3), np.uint8)
        for picture, frame in zip(pictures, frames):
            fill(picture, frame, card.channel_order)
        answers = network(pictures.astype(np.float32), training=False)
        all_scores = keras.ops.convert_to_numpy(keras.ops.sigmoid(answers["logits"][..., 1:]))
        all_offsets = keras.ops.convert_to_numpy(answers["offsets"])
        for frame, scores, offsets in zip(frames, all_scores, all_offsets):
            crowded += int((scores > FLOOR).sum() > 1000)
            limits = {"floor": FLOOR, "nms_iou": NMS_IOU, "max_detections": KEPT}
            ours = select(scores, offsets, anchors, card.variances, **limits)
            theirs = original(scores, to_xyxy(decode(offsets, anchors, card.variances)))
            for rule, (boxes, values, class_ids) in {"original": theirs, "ours": ours[:3]}.items():
                detections = Detections(to_pixels(boxes, frame.height, frame.width), values, class_ids)
                found[rule].append(class_map.apply(detections, max_detections=KEPT))
    figures = {rule: evaluate(dataset.examples, each, dataset.labels) for rule, each in found.items()}
    for rule, each in figures.items():
        print(f"{rule}: VOC07 mAP {each.voc07_map:.5f}, area mAP {each.voc_area_map:.5f}")
    print(f"{crowded} of {len(dataset)} pictures have more than 1000 scores above {FLOOR}")
    assert abs(figures["ours"].voc07_map - figures["original"].voc07_map) < 0.001
    assert abs(figures["ours"].voc_area_map - figures["original"].voc_area_map) < 0.001
