"""The unit of most networks: convolution, batch normalisation, activation, as each origin makes them."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from keras import layers

from detector.networks.batch_normalisation import BatchNormalisation
from detector.networks.depthwise_convolution import DepthwiseConvolution
from detector.networks.initial_kernels import RandomKernel

Activation: TypeAlias = Literal["relu", "relu6", "hard_swish", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """How an origin makes its units; they are called `name`, `name`_norm and `name`_<activation>.

    activation       of every unit that does not ask for another
    epsilon          added to the variance in batch normalisation
    momentum         share of the running statistics that a training step keeps
    pads_every_side  at stride 2, as Caffe and PyTorch do; else below and to the right of maps of even size,
                     as TensorFlow does
    folded           normalisation is part of kernels and biases
    """

    activation: Activation
    epsilon: float
    momentum: float
    pads_every_side: bool
    folded: bool = False

    def convolution(
        self,
        x: Any,
        channels: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: str = "same",
        activation: Activation | None = None,
        name: str,
    ) -> Any:
        x, padding = self._padded(x, kernel, stride, padding, name)
        layer = layers.Conv2D(
            channels,
            kernel,
            stride,
            padding,
            use_bias=self.folded,
            kernel_initializer=RandomKernel(2),
            name=name,
        )
        return self._activated(layer(x), activation, name)

    def depthwise(self, x: Any, kernel: int, *, stride: int = 1, name: str) -> Any:
        """The same with one filter for each channel."""
        x, padding = self._padded(x, kernel, stride, "same", name)
        layer = DepthwiseConvolution(
            kernel,
            stride,
            padding,
            use_bias=self.folded,
            depthwise_initializer=RandomKernel(2, depthwise=True),
            name=name,
        )
        return self._activated(layer(x), self.activation, name)

    def _padded(self, x: Any, kernel: int, stride: int, padding: str, name: str) -> tuple[Any, str]:
        if stride == 1 or kernel == 1 or padding == "valid" or not self.pads_every_side:
            return x, padding
        return layers.ZeroPadding2D(kernel // 2, name=f"{name}_padding")(x), "valid"

    def _activated(self, x: Any, activation: Activation | None, name: str) -> Any:
        if not self.folded:
            norm = BatchNormalisation(momentum=self.momentum, epsilon=self.epsilon, name=f"{name}_norm")
            x = norm(x)
        activation = activation or self.activation
        return x if activation == "none" else layers.Activation(activation, name=f"{name}_{activation}")(x)


# The Object Detection API; slow statistics, meant for its long schedules.
TENSORFLOW = Units(activation="relu6", epsilon=0.001, momentum=0.9997, pads_every_side=False)
# Caffe's and PyTorch's usual values; PyTorch's momentum is what a step takes, 0.1.
CAFFE = Units(activation="relu", epsilon=1e-5, momentum=0.999, pads_every_side=True)
PYTORCH = Units(activation="relu", epsilon=1e-5, momentum=0.9, pads_every_side=True)
