"""A model's 8-bit version, made and measured before anybody relies on it."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from detector.class_names import Aliases
from detector.engines import open_engine
from detector.engines.graph_file import Graph
from detector.engines.int8_graph import save_int8
from detector.engines.quantise import quantised
from detector.model_store import Model
from trainer.datasets import Dataset
from trainer.evaluation.answers import ClassMap, answers
from trainer.evaluation.evaluation import evaluate

# what is done just now, how much of it, of how much
Progress: TypeAlias = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Int8Version:
    """The graph, and VOC 2007 mAP on the same pictures: of the network in float32, and of this."""

    graph: Graph
    before: float
    after: float
    images: int

    @property
    def loss(self) -> float:
        return self.before - self.after

    def save(self, model: Model, *, measured_on: str) -> Model:
        """The model with this version beside its weights.

        raises  ModelError when the disk refuses
        """
        return save_int8(
            model,
            self.graph,
            {
                "voc07_map": round(self.after, 4),
                "float32_voc07_map": round(self.before, 4),
                "images": self.images,
                "on": measured_on,
            },
        )


def make_int8_version(
    model: Model,
    dataset: Dataset,
    pictures: Sequence[Path],
    *,
    progress: Progress = lambda what, done, total: None,
) -> Int8Version:
    """Quantises, and measures both.

    dataset   labelled photographs to measure on
    pictures  what the network looks at, to learn the range of its numbers; see `pictures_to_look_at`
    raises    EngineError when it cannot be made; DatasetError when the two have no class in common
    """
    before = _voc07_map(model, dataset, "float32", progress)
    graph = quantised(
        model, pictures, progress=lambda done, total: progress("pictures looked at", done, total)
    )
    with TemporaryDirectory() as folder:
        trial = save_int8(Model(model.card, Path(folder)), graph, {})
        after = _voc07_map(trial, dataset, "int8", progress)
    return Int8Version(graph=graph, before=before, after=after, images=len(dataset))


def pictures_to_look_at(everything: Dataset, measured_on: Dataset, count: int) -> list[Path]:
    """Some pictures of a folder, drawn by chance: of those that are not measured on, where there are any."""
    measured = {example.path for example in measured_on.examples}
    paths = sorted({example.path for example in everything.examples})
    paths = [path for path in paths if path not in measured] or paths
    return sorted(random.Random(0).sample(paths, min(count, len(paths))))


def _voc07_map(model: Model, dataset: Dataset, precision: str, progress: Progress) -> float:
    class_map = ClassMap.between(model.labels, dataset.labels, Aliases.shipped())
    engine = open_engine(model, engine="openvino", precision=precision)
    try:
        found = answers(
            engine,
            dataset.examples,
            class_map,
            progress=lambda done, total: progress(f"pictures in {precision}", done, total),
        )
    finally:
        engine.close()
    return evaluate(dataset.examples, found, dataset.labels).voc07_map
