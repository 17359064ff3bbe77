"""Networks whose random weights keep the values of every layer near 1, so that differences show."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from detector.model_card import ModelCard
from detector.model_store import Model, save_model
from detector.networks.catalog import build_network, new_card
from detector.networks.random_weights import randomize
from detector.networks.weights import assign_weights, weights_of
from detector.values import Pixels


def save_small(folder: Path, *, width: float, picture: Pixels, above: int) -> Model:
    """`small`: a part of MobileNet for pictures of 96x160 that finds things of 3 classes in a picture."""
    card = new_card(
        "ssd300-mobilenet-v1",
        name="small",
        classes=["a", "b", "c"],
        input_size=(96, 160),
        options={"width": width},
    )
    network = build_network(card)
    randomize(network, card, picture, above=above)
    return save_model(card, weights_of(network), folder=folder)


def random_network(card: ModelCard, *, seed: int = 0) -> keras.Model:
    """The network of a card with weights from `random_weights`."""
    network = build_network(card)
    assign_weights(network, random_weights(network, seed=seed))
    return network


def random_weights(network: keras.Model, *, seed: int) -> dict[str, NDArray[np.float32]]:
    """Kernels as He et al. scale them for ReLU; running variances above 0."""
    random = np.random.default_rng(seed)
    return {name: _draw(random, name, array.shape) for name, array in weights_of(network).items()}


def _draw(random: np.random.Generator, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    values: Any
    match name.rsplit("/")[-1]:
        case "kernel":
            is_depthwise = "depthwise" in name
            inputs = np.prod(shape[:2]) * (1 if is_depthwise else shape[2])
            values = random.normal(0, np.sqrt(2 / inputs), shape)
        case "moving_variance":
            values = random.uniform(0.5, 1.5, shape)
        case "gamma":
            values = random.normal(1, 0.1, shape)
        case "scale":
            values = random.uniform(10, 20, shape)
        case _:
            values = random.normal(0, 0.1, shape)
    return values.astype(np.float32)
