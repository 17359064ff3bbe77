"""The state of a training as named arrays, and back: the same file for every backend."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from detector.errors import TrainingError
from trainer.step import State, as_tensor

Arrays = Mapping[str, NDArray[Any]]


def state_arrays(state: State, network: keras.Model) -> dict[str, NDArray[Any]]:
    """Every tensor of a state under the path of its variable: "weights/conv1/kernel" and the like."""
    weights, statistics = _paths(network)
    named = {f"weights/{path}": value for path, value in zip(weights, state.weights)}
    named |= {f"statistics/{path}": value for path, value in zip(statistics, state.statistics)}
    named |= {f"averages/{path}": value for path, value in zip([*weights, *statistics], state.averages)}
    for path, memory in zip(weights, state.memory):
        named |= {f"memory{number}/{path}": value for number, value in enumerate(memory)}
    return {name: np.asarray(value) for name, value in {**named, "step": state.step}.items()}


def state_from(arrays: Arrays, network: keras.Model, like: State) -> State:
    """The state that `state_arrays` wrote.

    like    a state of the same training, at whatever step
    raises  TrainingError when the arrays are of another training
    """
    weights, statistics = _paths(network)

    def tensors(kind: str, paths: Sequence[str]) -> list[Any]:
        return [as_tensor(arrays[f"{kind}/{path}"]) for path in paths]

    try:
        memory = [tensors(f"memory{number}", weights) for number in range(len(like.memory[0]))]
        return State(
            tensors("weights", weights),
            tensors("statistics", statistics),
            list(zip(*memory)),
            tensors("averages", [*weights, *statistics]) if like.averages else [],
            as_tensor(arrays["step"]),
        )
    except KeyError as error:
        raise TrainingError(f"The checkpoint lacks {error}: it belongs to another training.") from None


def _paths(network: keras.Model) -> tuple[list[str], list[str]]:
    return (
        [each.path for each in network.trainable_variables],
        [each.path for each in network.non_trainable_variables],
    )
