"""What kernels start from before training."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("ssd_studio")
class RandomKernel(keras.initializers.Initializer):
    """Normal values of variance gain / (inputs of one output): each layer keeps the size of what it is given.

    gain       2 before a ReLU, which takes half away (He et al. 2015); 1 elsewhere
    depthwise  each output has the inputs of one channel only

    Drawn by numpy, seeded by `keras.utils.set_random_seed`: the same on every backend. JAX would compile a
    generator for each shape, which took nearly all the time of building a network.
    """

    def __init__(self, gain: float, *, depthwise: bool = False) -> None:
        self.gain = gain
        self.depthwise = depthwise

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        rows, columns, channels, _ = shape
        inputs = rows * columns * (1 if self.depthwise else channels)
        values = np.random.standard_normal(shape) * np.sqrt(self.gain / inputs)
        return ops.convert_to_tensor(values, dtype or keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "depthwise": self.depthwise}
