"""The model that ships, measured on pictures that neither trained nor chose it.

  python -m pytest -m slow -s tests/oracles/test_everyday.py

Which model stands in EVERYDAY; the default is the one that ships.
"""

import os
from pathlib import Path

import pytest

from app.sources import frames, open_source
from detector.boxes import iou_matrix
from detector.class_names import Aliases
from detector.engines import open_engine
from detector.model_store import find_model
from detector.values import Boxes, Frame
from trainer.datasets import open_dataset
from trainer.evaluation.answers import ClassMap, answers
from trainer.evaluation.evaluation import evaluate

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
_NAME = os.environ.get("EVERYDAY", "everyday")


def test_it_measures_what_was_asked_on_the_test_pictures(shared: Path) -> None:
    model = find_model(_NAME)
    dataset = open_dataset(shared / "data" / "voc2007", split="test")
    class_map = ClassMap.between(model.labels, dataset.labels, Aliases.shipped())
    engine = open_engine(model)
    found = answers(engine, dataset.examples, class_map)
    evaluation = evaluate(dataset.examples, found, dataset.labels)
    engine.close()
    print(f"\n{engine.device}: VOC07 mAP {evaluation.voc07_map:.4f}, area mAP {evaluation.voc_area_map:.4f}")
    assert evaluation.voc07_map >= 0.66


def test_it_sees_the_persons_that_the_coco_model_sees(shared: Path, coco_home: Path) -> None:
    film = list(frames(open_source(str(shared / "video" / "one-by-one-person-detection.mp4"))))
    ours = _persons(_NAME, film, 0.4)
    theirs = _persons(str(coco_home / "models" / "coco.json"), film, 0.5)
    there = [(mine, other) for mine, other in zip(ours, theirs) if len(other)]
    found = sum(bool(len(mine)) and bool((iou_matrix(mine, other) >= 0.5).any()) for mine, other in there)
    print(f"\na person found on {found} of {len(there)} frames ({found / len(there):.3f})")
    assert found / len(there) >= 0.95


def _persons(name: str, film: list[Frame], min_score: float) -> list[Boxes]:
    model = find_model(name)
    person = model.labels.names.index("person")
    engine = open_engine(model)
    found = []
    for start in range(0, len(film), 8):
        for detections in engine.detect(film[start : start + 8]):
            chosen = (detections.class_ids == person) & (detections.scores >= min_score)
            found.append(detections.boxes[chosen])
    engine.close()
    return found
