"""The weights of a network as named arrays, and back."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from detector.errors import ModelError


def weights_of(network: keras.Model) -> dict[str, NDArray[np.float32]]:
    """All weights, running statistics too: "<layer>/<variable>" -> float32 array."""
    return {each.path: np.asarray(each, np.float32) for each in network.weights}


def assign_weights(network: keras.Model, weights: Mapping[str, NDArray[Any]]) -> None:
    """Puts every named array into its place; nothing may be missing, left over, or of another shape.

    raises  ModelError that names the first array that does not fit; the network is unchanged then
    """
    check_weights(network, weights)
    for variable in network.weights:
        variable.assign(weights[variable.path])


def check_weights(network: keras.Model, weights: Mapping[str, NDArray[Any]]) -> None:
    """Makes sure that these are the weights of this network.

    raises  ModelError that names the first array that does not fit
    """
    places = {each.path: tuple(each.shape) for each in network.weights}
    if missing := [name for name in places if name not in weights]:
        raise ModelError(f"The weights lack {missing[0]} of {network.name} ({len(missing)} are missing).")
    if extra := [name for name in weights if name not in places]:
        raise ModelError(f"{network.name} has no place for the weights {extra[0]} ({len(extra)} in all).")
    for name, shape in places.items():
        if weights[name].shape != shape:
            raise ModelError(f"{name} is {weights[name].shape} in the weights but {shape} in {network.name}.")
