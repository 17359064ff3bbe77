"""The first layer of every network."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("ssd_studio")
class PictureScaling(keras.layers.Layer):
    """Makes (x - mean) * scale of pictures in 0..255, channel by channel.

    In float32 whatever the precision of the layers after it: bfloat16 holds the whole numbers to 256, but not
    once a mean such as 103.94 is taken off them.
    """

    def __init__(self, mean: Sequence[float], scale: Sequence[float], **settings: Any) -> None:
        super().__init__(**settings)
        self.mean = [float(value) for value in mean]
        self.scale = [float(value) for value in scale]
        self.autocast = False

    def call(self, pictures: Any) -> Any:
        exact = ops.cast(pictures, "float32")
        scaled = (exact - ops.array(self.mean, "float32")) * ops.array(self.scale, "float32")
        return ops.cast(scaled, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "scale": self.scale}
