"""What a model answers on the pictures of a dataset, in the dataset's classes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from detector.class_names import Aliases
from detector.errors import DatasetError
from detector.nms import CANDIDATES
from detector.pictures import read_picture
from detector.values import Detections, Frame, Ids, LabelMap
from trainer.datasets import Example

# How SSD models are measured, whatever their cards say, so that figures compare.
_FLOOR = 0.01  # a floor of 0.5 would cut the recall end of the curve: several points of mAP
_NMS_IOU = 0.45
_MAX_DETECTIONS = 200  # of the dataset's classes, a picture


class Engine(Protocol):
    """The part of `detector.engines.Engine` that is asked for here."""

    def detect(
        self, frames: Sequence[Frame], *, nms_iou: float | None, max_detections: int | None, floor: float
    ) -> list[Detections]: ...


@dataclass(frozen=True, slots=True, eq=False)
class ClassMap:
    """From a model's classes to a dataset's.

    class_ids  (model's classes,) int32  the dataset's class of each; -1: the dataset does not have it
    missing    the dataset's classes that the model does not know: it can find none of them
    """

    class_ids: Ids
    missing: tuple[str, ...]

    @staticmethod
    def between(model: LabelMap, dataset: LabelMap, aliases: Aliases) -> "ClassMap":
        """By name, or by a name that means the same.

        raises  DatasetError when the two have nothing in common
        """
        found = [aliases.find(name, dataset.names) for name in model.names]
        if not any(found):
            raise DatasetError(
                f"The model knows none of the dataset's classes ({_some(dataset.names)}); its own are "
                f"{_some(model.names)}. --alias NAME=OTHER says which mean the same."
            )
        class_ids = [-1 if name is None else dataset.class_id(name) for name in found]
        return ClassMap(np.array(class_ids, np.int32), tuple(n for n in dataset.names if n not in found))

    def apply(self, detections: Detections, *, max_detections: int) -> Detections:
        """The best detections of the dataset's classes, with its class ids."""
        class_ids = self.class_ids[detections.class_ids]
        kept = np.flatnonzero(class_ids >= 0)[:max_detections]
        chosen = detections[kept]
        return replace(chosen, class_ids=class_ids[kept])

    def in_model(self, class_id: int) -> int | None:
        """The model's class for one of the dataset's; None where it has none."""
        found = np.flatnonzero(self.class_ids == class_id)
        return int(found[0]) if len(found) else None


def answers(
    engine: Engine,
    examples: Sequence[Example],
    class_map: ClassMap,
    *,
    batch: int = 8,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Detections]:
    """One Detections for each example.

    batch     pictures handed to the engine at once
    progress  called with the number of pictures done, and of all
    raises    SourceError when a picture cannot be read
    """
    gathered: list[Detections] = []
    for start in range(0, len(examples), batch):
        some = examples[start : start + batch]
        frames = [Frame(read_picture(example.path), source=example.path.name) for example in some]
        found = engine.detect(frames, nms_iou=_NMS_IOU, max_detections=CANDIDATES, floor=_FLOOR)
        gathered += [class_map.apply(each, max_detections=_MAX_DETECTIONS) for each in found]
        progress(len(gathered), len(examples))
    return gathered


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
