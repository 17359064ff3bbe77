"""The choice among engines: by device, by precision, by what is installed."""

import difflib
import importlib.util
import logging
from collections.abc import Callable

from detector.engines.devices import cuda_devices
from detector.engines.engine import Engine
from detector.errors import EngineError, OptionError
from detector.model_store import Model

logger = logging.getLogger(__name__)

ENGINES = ("auto", "openvino", "keras")
DEVICES = ("auto", "cpu", "gpu")
PRECISIONS = ("auto", "float32", "bfloat16", "int8")


def open_engine(
    model: Model,
    *,
    engine: str = "auto",
    device: str = "auto",
    precision: str = "auto",
    batch: int = 1,
    notify: Callable[[str], None] | None = None,
    wanted: Callable[[], bool] = lambda: True,
) -> Engine:
    """Makes a model ready to run; its first real call is as fast as every other.

    engine     "openvino", "keras" (TensorFlow, or JAX where KERAS_BACKEND says so), or "auto": Keras where
               there is a CUDA GPU, else OpenVINO
    device     "cpu", "gpu" or "auto"
    precision  "float32", "bfloat16", "int8" or "auto": the fastest of those the device has units for
    batch      how many frames of a call run together at most; longer lists are cut into pieces. 1 gives each
               frame the whole processor, more give the higher rate
    notify     is given a sentence before anything that lets a person wait; default: into the log
    wanted     asked, from this thread, while that goes on: False ends what can be ended, by an EngineError
    raises     OptionError for names that do not exist; EngineError for what this computer cannot do
    """
    _check("engine", engine, ENGINES)
    _check("device", device, DEVICES)
    _check("precision", precision, PRECISIONS)
    if batch < 1:
        raise ValueError(f"batch must be at least 1, not {batch}")
    notify = notify or logger.info
    if engine == "keras":
        return _keras(model, device, precision, batch)
    if engine == "openvino":
        return _openvino(model, device, precision, batch, notify, wanted)
    if device == "gpu" or (device == "auto" and cuda_devices()):
        try:
            return _keras(model, "gpu", precision, batch)
        except EngineError as error:
            if device == "gpu":
                raise
            logger.warning("The GPU is not used: %s", error)
    if importlib.util.find_spec("openvino") is None:
        logger.warning("OpenVINO is not installed; Keras is used instead, which is slower.")
        return _keras(model, "cpu", precision, batch)
    return _openvino(model, "cpu", precision, batch, notify, wanted)


def load_keras() -> None:
    """Imports Keras with its backend.

    raises  EngineError when it cannot be loaded
    """
    try:
        importlib.import_module("keras")
    except (ImportError, ValueError) as error:  # the latter for a KERAS_BACKEND that does not exist
        raise EngineError(
            f"Keras cannot be loaded: {error}. Install what requirements.txt lists; KERAS_BACKEND may be "
            "tensorflow or jax."
        ) from error


def _keras(model: Model, device: str, precision: str, batch: int) -> Engine:
    load_keras()
    from detector.engines.keras_engine import KerasEngine

    return KerasEngine(model, device=device, precision=precision, batch=batch)


def _openvino(
    model: Model,
    device: str,
    precision: str,
    batch: int,
    notify: Callable[[str], None],
    wanted: Callable[[], bool],
) -> Engine:
    from detector.engines.openvino_engine import OpenVinoEngine

    if device == "gpu":
        raise EngineError(
            "The OpenVINO engine runs on the processor only; for a CUDA GPU choose --engine keras."
        )
    return OpenVinoEngine(model, precision=precision, batch=batch, notify=notify, wanted=wanted)


def _check(option: str, value: str, known: tuple[str, ...]) -> None:
    if value in known:
        return
    near = difflib.get_close_matches(value, known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"it is one of {', '.join(known)}."
    raise OptionError(f"--{option} cannot be '{value}'; {hint}")
