"""What a training step costs, and whether the pictures keep up with it. Nothing is asserted of times.

python -m pytest -m benchmark tests/benchmarks/test_training_speed.py -s
"""

import time
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from detector.networks import units
from detector.networks.catalog import new_card
from trainer.datasets import open_dataset
from trainer.loss import MultiBoxLoss, Targets
from trainer.optimiser import Momentum
from trainer.recipe import Recipe
from trainer.step import StepOptions, as_tensor, compile_step, first_state
from trainer.trainee import network_for
from trainer.training import make_loader

_BATCH = 16
_ROUNDS = 8
_CLASSES = tuple(f"class {number}" for number in range(20))


def _stepper(recipe: Recipe, **options: Any) -> Callable[[Any, Targets], None]:
    """Makes one step after the other; each call waits for its own."""
    network = network_for(
        new_card("ssd300-mobilenet-v1", name="x", classes=_CLASSES, options=options), recipe, recipe.precision
    )
    chosen = StepOptions(
        criterion=MultiBoxLoss(), optimiser=Momentum(), decay=5e-4, clip_norm=10.0, averaging=0.998
    )
    compiled, state = compile_step(network, chosen), first_state(network, chosen)

    def step(pictures: Any, targets: Targets) -> None:
        nonlocal state
        state, losses = compiled(state, as_tensor(pictures), targets, as_tensor(np.float32([1e-4, 1e-4])))
        float(losses.total)

    return step


def _with_keras_layers(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, Targets], None]:
    """The same network of Keras' own layers."""
    with monkeypatch.context() as patch:
        patch.setattr(units, "BatchNormalisation", keras.layers.BatchNormalization)
        patch.setattr(units, "DepthwiseConvolution", keras.layers.DepthwiseConv2D)
        return _stepper(recipe)


def _batch() -> tuple[Any, Targets]:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (_BATCH, 300, 300, 3)).astype(np.uint8)
    offsets = rng.normal(size=(_BATCH, 1917, 4)).astype(np.float32)
    class_ids = np.where(rng.random((_BATCH, 1917)) < 0.01, rng.integers(1, 21, (_BATCH, 1917)), 0)
    return pictures, Targets(as_tensor(offsets), as_tensor(class_ids.astype(np.int32)))


@pytest.mark.benchmark
@pytest.mark.timeout(1200)
def test_what_a_step_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = {
        "Keras' layers, float32": _with_keras_layers(Recipe(precision="float32"), monkeypatch),
        "Keras' layers, bfloat16": _with_keras_layers(Recipe(precision="bfloat16"), monkeypatch),
        "ours, float32": _stepper(Recipe(precision="float32")),
        "ours, float32, frozen statistics": _stepper(Recipe(precision="float32", freeze_statistics=True)),
        "ours, float32, folded": _stepper(Recipe(precision="float32"), folded=True),
        "ours, bfloat16": _stepper(Recipe(precision="bfloat16")),
        "ours, bfloat16, frozen statistics": _stepper(Recipe(precision="bfloat16", freeze_statistics=True)),
        "ours, bfloat16, folded": _stepper(Recipe(precision="bfloat16"), folded=True),
    }
    batch = _batch()
    wall: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_ROUNDS + 1):  # all take turns, so that other programs disturb them alike
        for name, step in ways.items():
            began, used = time.perf_counter(), time.process_time()
            step(*batch)
            wall[name].append(time.perf_counter() - began)
            cpu[name].append(time.process_time() - used)
    first = np.median(next(iter(wall.values()))[1:])
    print(f"\n{'training step, batch 16':36} pictures/s  of the first  CPU s")
    for name in ways:
        middle = np.median(wall[name][1:])
        print(f"{name:36} {_BATCH / middle:10.1f} {first / middle:13.2f} {np.median(cpu[name][1:]):6.2f}")


@pytest.mark.benchmark
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("data", ["voc2007", "bccd"])
def test_pictures_keep_up_with_the_step(shared: Path, data: str) -> None:
    examples = open_dataset(shared / "data" / data, split="train").examples[:480]
    card = new_card("ssd300-mobilenet-v1", name="x", classes=_CLASSES)
    recipe = Recipe(precision="bfloat16")
    step = _stepper(recipe)
    loader = make_loader(examples, card, recipe)
    count = len(examples) // _BATCH
    with closing(loader.batches()) as batches:
        *_, batch = islice(batches, count + 1)  # every picture is decoded now
        targets = Targets(as_tensor(batch.offsets), as_tensor(batch.class_ids))
        step(batch.pictures, targets)
        rates = []
        for _ in range(3):
            began = time.perf_counter()
            for _ in range(count // 3):
                step(batch.pictures, targets)
            middle = time.perf_counter()
            for fresh in islice(batches, count // 3):
                step(fresh.pictures, Targets(as_tensor(fresh.offsets), as_tensor(fresh.class_ids)))
            rates.append(((middle - began), (time.perf_counter() - middle)))
    bare, whole = (count // 3 * _BATCH / np.median([rate[way] for rate in rates]) for way in (0, 1))
    print(f"\n{data}: {bare:.1f} pictures/s on one batch, {whole:.1f} on fresh ones ({whole / bare:.2f})")
