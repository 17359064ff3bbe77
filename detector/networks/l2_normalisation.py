"""Brings a feature map whose values are larger than the others' to their size."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("ssd_studio")
class L2Normalisation(keras.layers.Layer):
    """Divides every cell by the length of its vector, then multiplies each channel by a learned scale.

    x -> scale * x / sqrt(sum(x²) + 1e-10), the sum over channels, in float32 whatever the precision around it

    source  ParseNet; Caffe's Normalize layer, `across_spatial: false`
    """

    def __init__(self, initial_scale: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.initial_scale = float(initial_scale)

    def build(self, input_shape: Any) -> None:
        initial = keras.initializers.Constant(self.initial_scale)
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer=initial, name="scale")

    def call(self, feature_map: Any) -> Any:
        exact = ops.cast(feature_map, "float32")
        length = ops.sqrt(ops.sum(ops.square(exact), axis=-1, keepdims=True) + 1e-10)
        return ops.cast(exact / length, self.compute_dtype) * ops.cast(self.scale, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "initial_scale": self.initial_scale}
