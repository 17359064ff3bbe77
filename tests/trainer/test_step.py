"""One step: what moves, by how much, and that both backends move alike."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.trainer.shapes import small_card
from trainer.loss import MultiBoxLoss, Targets
from trainer.optimiser import Momentum
from trainer.recipe import Recipe
from trainer.step import State, StepOptions, as_tensor, compile_step, first_state, put_into
from trainer.trainee import network_for


def _case(count: int) -> tuple[Any, Targets]:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (2, 96, 96, 3)).astype(np.uint8)
    offsets = rng.normal(size=(2, count, 4)).astype(np.float32)
    class_ids = rng.choice(np.int32([0, 1, 2]), (2, count), p=[0.9, 0.05, 0.05])
    return as_tensor(pictures), Targets(as_tensor(offsets), as_tensor(class_ids))


def _stepped(
    recipe: Recipe, *, steps: int = 1, rates: tuple[float, float] = (0.01, 0.01), **options: Any
) -> tuple[keras.Model, State, State, list[float]]:
    """The network, its state before and after some steps, and their losses."""
    card = small_card()
    network = network_for(card, recipe, recipe.precision)
    chosen = StepOptions(criterion=MultiBoxLoss(), optimiser=Momentum(), **options)
    step = compile_step(network, chosen)
    state = before = first_state(network, chosen)
    pictures, targets = _case(card.anchors.count)
    losses = []
    for _ in range(steps):
        state, parts = step(state, pictures, targets, as_tensor(np.float32(rates)))
        losses.append(float(parts.total))
    return network, before, state, losses


def _moves(network: keras.Model, before: State, after: State) -> dict[str, float]:
    """How far each weight went at most."""
    return {
        variable.path: float(np.abs(np.asarray(new) - np.asarray(old)).max())
        for variable, old, new in zip(network.trainable_variables, before.weights, after.weights)
    }


def test_the_loss_falls_on_a_batch_that_comes_again() -> None:
    _, _, after, losses = _stepped(Recipe(), steps=12)
    assert losses[-1] < 0.7 * losses[0]
    assert int(after.step) == 12


def test_the_backbone_takes_its_own_rate() -> None:
    network, before, after, _ = _stepped(
        Recipe(), rates=(0.0, 0.01), backbone=frozenset({"Conv2d_0", "Conv2d_0_norm"})
    )
    moves = _moves(network, before, after)
    assert moves["Conv2d_0/kernel"] == moves["Conv2d_0_norm/gamma"] == 0
    assert moves["Conv2d_1_pointwise/kernel"] > 0


def test_kernels_decay_and_biases_and_normalisation_do_not() -> None:
    plain, decayed = (_stepped(Recipe(), decay=decay) for decay in (0.0, 1.0))
    for variable, one, other in zip(plain[0].trainable_variables, plain[2].weights, decayed[2].weights):
        is_kernel = variable.path.endswith("kernel")
        same = np.allclose(one, other, atol=1e-7)
        assert same != is_kernel, variable.path


def test_frozen_layers_keep_weights_and_statistics() -> None:
    network, before, after, _ = _stepped(Recipe(frozen=("Conv2d_[0-3]*",)))
    learning = {variable.path.split("/")[0] for variable in network.trainable_variables}
    assert not any(name.startswith(("Conv2d_0", "Conv2d_3_")) for name in learning)
    assert "Conv2d_4_depthwise" in learning
    for variable, old, new in zip(network.non_trainable_variables, before.statistics, after.statistics):
        if variable.path.startswith("Conv2d_0"):
            assert np.array_equal(old, new)


@pytest.mark.parametrize("frozen", [True, False])
def test_statistics_follow_the_batches_unless_frozen(frozen: bool) -> None:
    _, before, after, _ = _stepped(Recipe(freeze_statistics=frozen))
    kept = [np.array_equal(old, new) for old, new in zip(before.statistics, after.statistics)]
    assert all(kept) if frozen else not any(kept)


def test_averages_follow_the_weights_and_are_what_is_evaluated() -> None:
    network, before, after, _ = _stepped(Recipe(), averaging=0.9)
    old, new, average = (np.asarray(each[0]) for each in (before.weights, after.weights, after.averages))
    np.testing.assert_allclose(average, old + 0.9 * (new - old), atol=1e-6)  # the first step keeps a tenth
    put_into(network, after, averaged=True)
    np.testing.assert_array_equal(network.trainable_variables[0].numpy(), average)
    put_into(network, after, averaged=False)
    np.testing.assert_array_equal(network.trainable_variables[0].numpy(), new)


def test_half_precision_learns_too_and_keeps_its_weights_exact() -> None:
    network, _, _, losses = _stepped(Recipe(precision="bfloat16"), steps=8)
    assert losses[-1] < losses[0]
    assert {str(variable.dtype) for variable in network.trainable_variables} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"


# Statistics frozen: with those of two random pictures 35 layers are chaotic, and the last bit of a float
# grows to per cents within five steps.
_TWENTY_STEPS = """
from tests.trainer import test_step
from trainer.recipe import Recipe
recipe = Recipe(freeze_statistics=True)
print(*test_step._stepped(recipe, steps=20, averaging=0.9, decay=1e-3, clip_norm=10.0)[3])
"""


def test_tensorflow_and_jax_learn_alike() -> None:
    root = Path(__file__).resolve().parents[2]
    losses = {}
    for backend in ("tensorflow", "jax"):
        environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(root)}
        command = [sys.executable, "-c", _TWENTY_STEPS]
        done = subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True, timeout=110
        )
        losses[backend] = [float(value) for value in done.stdout.split()]
    assert len(losses["jax"]) == 20
    np.testing.assert_allclose(losses["jax"], losses["tensorflow"], rtol=1e-3)
