"""Average precision as COCO defines it, through faster-coco-eval (the numbers of pycocotools, sooner)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster

from detector.values import Detections
from trainer.datasets import Example
from trainer.evaluation.matching import ignored


@dataclass(frozen=True, slots=True, kw_only=True)
class CocoFigures:
    """COCO's twelve numbers, and AP by class; None where there is no such object.

    ap               mean over IoU 0.50, 0.55 ... 0.95
    small, medium    objects below 32 x 32, below 96 x 96 pixels; large: the rest
    ar1, ar10, ar100 mean of the best recall with so many detections a picture
    class_ap, class_ap50  by class id
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    ar1: float | None
    ar10: float | None
    ar100: float | None
    ar_small: float | None
    ar_medium: float | None
    ar_large: float | None
    class_ap: tuple[float | None, ...]
    class_ap50: tuple[float | None, ...]


def coco_figures(
    examples: Sequence[Example], detections: Sequence[Detections], class_count: int
) -> CocoFigures:
    """COCO's numbers.

    detections  one for each example, class ids of the dataset
    Difficult objects count as COCO's crowds: finding them is neither rewarded nor punished.
    """
    truth = COCO(_truth(examples, class_count))
    found = truth.loadRes(_found(detections))
    measured = COCOeval_faster(truth, found, "bbox", print_function=_silent)
    measured.evaluate()
    measured.accumulate()
    measured.summarize()
    precision = measured.eval[
        "precision"
    ]  # (10 IoUs, 101 recalls, classes, 4 areas, 3 limits); -1: no object
    aps = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
    ars = ("ar1", "ar10", "ar100", "ar_small", "ar_medium", "ar_large")
    return CocoFigures(
        **{name: _known(value) for name, value in zip((*aps, *ars), measured.stats)},
        class_ap=tuple(_known(precision[:, :, k, 0, -1].mean()) for k in range(class_count)),
        class_ap50=tuple(_known(precision[0, :, k, 0, -1].mean()) for k in range(class_count)),
    )


def _truth(examples: Sequence[Example], class_count: int) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    for image_id, example in enumerate(examples):
        rows = zip(_corner_and_size(example.boxes), example.class_ids, example.areas, ignored(example))
        annotations += [
            {
                "id": len(annotations) + index,
                "image_id": image_id,
                "category_id": int(class_id),
                "bbox": box,
                "area": float(area),
                "iscrowd": int(of_no_account),
            }
            for index, (box, class_id, area, of_no_account) in enumerate(rows, 1)
        ]
    images = [{"id": k, "height": each.height, "width": each.width} for k, each in enumerate(examples)]
    categories = [{"id": class_id, "name": str(class_id)} for class_id in range(class_count)]
    return {"images": images, "annotations": annotations, "categories": categories}


def _found(detections: Sequence[Detections]) -> list[dict[str, Any]]:
    return [
        {"image_id": image_id, "category_id": int(class_id), "bbox": box, "score": float(score)}
        for image_id, each in enumerate(detections)
        for box, class_id, score in zip(_corner_and_size(each.boxes), each.class_ids, each.scores)
    ]


def _corner_and_size(boxes: np.ndarray) -> list[list[float]]:
    exact = boxes.astype(np.float64)
    return np.hstack([exact[:, :2], exact[:, 2:] - exact[:, :2]]).tolist()


def _known(value: float) -> float | None:
    return None if value < 0 else float(value)


def _silent(*_: object) -> None:
    pass
