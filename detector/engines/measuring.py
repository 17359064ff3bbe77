"""How long a picture takes on this computer: every way of running a network measured in turns, in one run.

Machines are noisy and slow down when warm, so the ways take turns of a fraction of a second, many times over:
what disturbs one disturbs its neighbours as well, and ratios hold where milliseconds do not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2
import numpy as np

from detector.anchors import LAYOUTS
from detector.engines.engine import open_engine
from detector.model_card import ModelCard
from detector.model_store import Model, save_model
from detector.values import Frame, Pixels

CANDIDATES_ABOVE_FLOOR = 150  # a busy street; the imported COCO model has 20 to 200 on real pictures
_TURN = 0.12  # seconds
_Stages = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Way:
    """One way of running a network.

    run  one picture; returns milliseconds by stage: "network" at least
    """

    model: str
    runtime: str
    run: Callable[[], _Stages]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was measured of one way: stage -> (median, 95th percentile), milliseconds."""

    model: str
    runtime: str
    stages: Mapping[str, tuple[float, float]]
    pictures: int


def measure(
    ways: Sequence[Way], *, rounds: int, on_round: Callable[[int, int], None] = lambda done, all_: None
) -> list[Row]:
    """Lets the ways take turns; the first call of a turn finds foreign caches and does not count."""
    taken: list[list[_Stages]] = [[] for _ in ways]
    for done in range(rounds):
        for way, calls in zip(ways, taken):
            way.run()
            until = perf_counter() + _TURN
            calls.append(way.run())
            while perf_counter() < until:
                calls.append(way.run())
        on_round(done + 1, rounds)
    return [_row(way, calls) for way, calls in zip(ways, taken)]


def _row(way: Way, calls: Sequence[_Stages]) -> Row:
    stages = {}
    for name in calls[0]:
        times = np.array([call[name] for call in calls])
        stages[name] = (float(np.median(times)), float(np.percentile(times, 95)))
    return Row(model=way.model, runtime=way.runtime, stages=stages, pictures=len(calls))


def through_engine(model: Model, frame: Frame, *, engine: str, precision: str) -> Way:
    """The whole call `detect([frame])`: resize, network, decoding and NMS, scaling back."""
    opened = open_engine(model, engine=engine, device="cpu", precision=precision)

    def run() -> _Stages:
        began = perf_counter()
        opened.detect([frame])
        whole = (perf_counter() - began) * 1e3
        timing = opened.timing
        around = timing.resize_ms + timing.selection_ms
        return {"network": timing.network_ms, "around": around, "whole": whole}

    return Way(model.name, opened.device, run)


def through_keras(model: Model) -> Way:
    """The network alone, as people call it: `tf.function` in float32 on a picture of the right size."""
    import tensorflow as tf

    from detector.networks.catalog import load_network

    network = tf.function(load_network(model))
    pictures = tf.constant(street((*model.card.input_size,))[None], tf.float32)

    def run() -> _Stages:
        began = perf_counter()
        network(pictures)["logits"].numpy()
        return {"network": (perf_counter() - began) * 1e3}

    return Way(model.name, "Keras TensorFlow CPU float32, tf.function", run)


def through_litert(file: Path, *, name: str, threads: int) -> Way:
    """A TFLite file with its own post-processing, on a picture of the right size."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file), num_threads=threads)
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]
    answers = [each["index"] for each in interpreter.get_output_details()]
    picture = street(tuple(entry["shape"][1:3]))[None].astype(entry["dtype"])

    def run() -> _Stages:
        began = perf_counter()
        interpreter.set_tensor(entry["index"], picture)
        interpreter.invoke()
        for each in answers:
            interpreter.get_tensor(each)
        taken = (perf_counter() - began) * 1e3
        return {"network": taken, "whole": taken}

    return Way(name, f"LiteRT CPU {np.dtype(entry['dtype']).name}, {threads} threads", run)


def throughput(
    model: Model, frame: Frame, *, batches: Sequence[int], seconds: float = 3.0
) -> dict[str, float]:
    """Pictures a second of whole calls on the GPU in bfloat16, by size of batch."""
    rates = {}
    for batch in batches:
        engine = open_engine(model, engine="keras", device="gpu", precision="bfloat16", batch=batch)
        frames = [frame] * batch
        engine.detect(frames)
        began, calls = perf_counter(), 0
        while (taken := perf_counter() - began) < seconds:
            engine.detect(frames)
            calls += 1
        rates[f"{engine.device}, batch {batch}"] = calls * batch / taken
        engine.close()
    return rates


def untrained(card: ModelCard, folder: Path) -> Model:
    """A model with random weights whose answers are as many as a trained one's."""
    from detector.networks.catalog import build_network
    from detector.networks.random_weights import randomize
    from detector.networks.weights import weights_of

    network = build_network(card)
    randomize(network, card, street(card.input_size), above=CANDIDATES_ABOVE_FLOOR)
    return save_model(card, weights_of(network), folder=folder)


def street(size: tuple[int, ...]) -> Pixels:
    """A picture of (height, width) with large and small things in it; always the same."""
    height, width = int(size[0]), int(size[1])
    random = np.random.default_rng(0)
    picture = np.zeros((height, width, 3), np.float32)
    for cells in (4, 16, 64):
        coarse: Any = random.uniform(-1, 1, (cells, cells, 3)).astype(np.float32)
        picture += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * 60 / cells**0.3
    return np.clip(picture + 120, 0, 255).astype(np.uint8)


def usual_cards() -> list[ModelCard]:
    """The networks everybody compares: SSD300 for VOC, MobileNet for COCO's 90 ids."""
    from detector.networks.catalog import new_card

    def names(count: int) -> tuple[str, ...]:
        return tuple(f"class {number}" for number in range(count))

    return [
        new_card("ssd300-vgg16", name="ssd300-vgg16", classes=names(20), layout=LAYOUTS["ssd300-voc"]),
        new_card("ssd300-mobilenet-v1", name="ssd300-mobilenet-v1", classes=names(90)),
    ]
