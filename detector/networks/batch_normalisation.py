"""Batch normalisation by the fused operator of the backend, where it has one."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("ssd_studio")
class BatchNormalisation(keras.layers.BatchNormalization):
    """Keras' own layer: the same variables, numbers and settings; on TensorFlow's CPU trained faster by half.

    Keras composes it of elementary operators, each a pass over the feature map; TensorFlow has one operator
    for all of them, forwards and backwards. XLA, which JAX runs on, fuses by itself.

    frozen_statistics  set before the first step: training, too, then uses and keeps the running statistics,
                       which small batches would spoil; scale and shift are still learnt
    """

    frozen_statistics = False

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        by_batch = bool(training) and self.trainable and not self.frozen_statistics
        if keras.backend.backend() != "tensorflow" or not self._fits_operator(inputs, mask):
            return super().call(inputs, training=by_batch, mask=mask)
        if not by_batch:
            return self._fused(inputs, training=False)[0]
        outputs, mean, variance = self._fused(inputs, training=True)
        # The operator gives the unbiased variance; Keras keeps the plain one.
        count = ops.cast(ops.prod(ops.shape(inputs)[:3]), variance.dtype)
        self._follow(self.moving_mean, mean)
        self._follow(self.moving_variance, variance * (count - 1) / count)
        return outputs

    def _fits_operator(self, inputs: Any, mask: Any) -> bool:
        return mask is None and len(inputs.shape) == 4 and self.axis in (-1, 3) and self.scale and self.center

    def _fused(self, inputs: Any, *, training: bool) -> tuple[Any, Any, Any]:
        from tensorflow import raw_ops

        normalised = raw_ops.FusedBatchNormV3(
            x=ops.cast(inputs, self.compute_dtype),
            scale=ops.cast(self.gamma, "float32"),
            offset=ops.cast(self.beta, "float32"),
            mean=ops.zeros(0) if training else ops.cast(self.moving_mean, "float32"),
            variance=ops.zeros(0) if training else ops.cast(self.moving_variance, "float32"),
            epsilon=self.epsilon,
            is_training=training,
        )
        return normalised.y, normalised.batch_mean, normalised.batch_variance

    def _follow(self, statistic: Any, of_batch: Any) -> None:
        of_batch = ops.cast(of_batch, statistic.dtype)
        statistic.assign(statistic * self.momentum + of_batch * (1.0 - self.momentum))
