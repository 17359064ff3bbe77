"""What TensorFlow and JAX do differently: finding the device, and compiling a function for fixed shapes."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

import keras
import numpy as np

from detector.engines.graph_nms import BatchSelection
from detector.errors import EngineError
from detector.values import Pixels

# answers of the network, floor, nms_iou -> what is kept; all tensors of the backend
Select: TypeAlias = Callable[[dict[str, Any], Any, Any], BatchSelection]
# pictures (batch, height, width, 3) uint8, floor, nms_iou -> what is kept, perhaps still being computed
Graph: TypeAlias = Callable[[Pixels, float, float], BatchSelection]


class Backend(Protocol):
    """name "TensorFlow" or "JAX"; place "CPU" or "CUDA NVIDIA H200"; on_gpu whether it is that"""

    name: str
    place: str
    on_gpu: bool

    def here(self) -> AbstractContextManager[Any]:
        """What is made inside lies on the device."""

    def compile(self, network: Any, select: Select, shape: tuple[int, ...]) -> Graph:
        """Network and selection for one shape of pictures, traced once and never again."""


def open_backend(device: str) -> Backend:
    """The backend that Keras was told to use, on "cpu", "gpu", or "auto": a GPU if the backend finds one.

    raises  EngineError when Keras runs on something else, or there is no such device
    """
    # JAX would take three quarters of the GPU's memory at once; the person may say otherwise.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    name = keras.backend.backend()
    if name == "tensorflow":
        return TensorFlow(device)
    if name == "jax":
        return Jax(device)
    raise EngineError(f"Keras is told to run on {name}; set KERAS_BACKEND to tensorflow or jax.")


class TensorFlow:
    name = "TensorFlow"

    def __init__(self, device: str) -> None:
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        _check(device, bool(gpus), self.name)
        self.on_gpu = bool(gpus) and device != "cpu"
        self.place = "CPU"
        if self.on_gpu:
            _grow_slowly(gpus)
            details = tf.config.experimental.get_device_details(gpus[0])
            self.place = f"CUDA {details.get('device_name', 'GPU')}"

    def here(self) -> AbstractContextManager[Any]:
        import tensorflow as tf

        return tf.device("/GPU:0" if self.on_gpu else "/CPU:0")

    def compile(self, network: Any, select: Select, shape: tuple[int, ...]) -> Graph:
        import tensorflow as tf

        def from_pictures(pictures: Any, floor: Any, nms_iou: Any) -> BatchSelection:
            return select(network(tf.cast(pictures, tf.float32), training=False), floor, nms_iou)

        number = tf.TensorSpec((), tf.float32)
        signature = [tf.TensorSpec(shape, tf.uint8), number, number]
        graph = tf.function(from_pictures, input_signature=signature).get_concrete_function()

        def run(pictures: Pixels, floor: float, nms_iou: float) -> BatchSelection:
            return graph(*map(tf.constant, (pictures, np.float32(floor), np.float32(nms_iou))))

        return run


class Jax:
    name = "JAX"

    def __init__(self, device: str) -> None:
        import jax

        gpus = [each for each in jax.devices() if each.platform == "gpu"]
        _check(device, bool(gpus), self.name)
        self.on_gpu = bool(gpus) and device != "cpu"
        self._device = gpus[0] if self.on_gpu else jax.devices("cpu")[0]
        self.place = f"CUDA {self._device.device_kind}" if self.on_gpu else "CPU"

    def here(self) -> AbstractContextManager[Any]:
        import jax

        return jax.default_device(self._device)

    def compile(self, network: Any, select: Select, shape: tuple[int, ...]) -> Graph:
        import jax

        def from_pictures(
            weights: Any, statistics: Any, pictures: Any, floor: Any, nms_iou: Any
        ) -> BatchSelection:
            answers, _ = network.stateless_call(
                weights, statistics, pictures.astype("float32"), training=False
            )
            return select(answers, floor, nms_iou)

        # Handed over with each call: as constants of the graph, XLA would spend minutes folding them.
        weights = [each.value for each in network.trainable_variables]
        statistics = [each.value for each in network.non_trainable_variables]
        pictures, number = np.zeros(shape, np.uint8), np.float32(0)
        graph = jax.jit(from_pictures).lower(weights, statistics, pictures, number, number).compile()

        def run(pictures: Pixels, floor: float, nms_iou: float) -> BatchSelection:
            return graph(weights, statistics, pictures, np.float32(floor), np.float32(nms_iou))

        return run


def _check(device: str, has_gpu: bool, name: str) -> None:
    if device == "gpu" and not has_gpu:
        raise EngineError(
            f"{name} finds no CUDA GPU; is its driver installed, and {name} with CUDA? "
            "(--device cpu works everywhere.)"
        )


def _grow_slowly(gpus: list[Any]) -> None:
    """Lets TensorFlow take a GPU's memory as it needs it, instead of all of it at once."""
    import tensorflow as tf

    for gpu in gpus:
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:  # the GPU is in use already: whoever was first has decided
            return
