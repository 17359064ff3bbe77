"""The formats: how each is written, and how its own runtime opens what was written.

A writer takes the module of `detecting_module` and a path; a runtime takes the path and gives a function
from one picture (height, width, 3) uint8 to the arrays by name, without their first dimension.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.values import Pixels

Arrays: TypeAlias = dict[str, NDArray[Any]]
Run: TypeAlias = Callable[[Pixels], Arrays]

_ONNX_OPSET = 17  # of 2022: old enough for every runtime in use


class Format(NamedTuple):
    """ending "" is a folder; needs: packages of requirements-export.txt"""

    ending: str
    write: Callable[[Any, Path], None]
    open: Callable[[Path], Run]
    needs: tuple[str, ...] = ()


def write_onnx(module: Any, path: Path) -> None:
    import tf2onnx

    detect = module.detect
    tf2onnx.convert.from_function(
        detect, input_signature=detect.input_signature, opset=_ONNX_OPSET, output_path=str(path)
    )


def open_onnx(path: Path) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda picture: _first(dict(zip(names, session.run(names, {"pictures": picture[None]}))))


def write_saved_model(module: Any, path: Path) -> None:
    import tensorflow as tf

    tf.saved_model.save(module, str(path), signatures={"serving_default": module.detect})


def open_saved_model(path: Path) -> Run:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    detect = loaded.signatures["serving_default"]

    def run(picture: Pixels) -> Arrays:
        answers = detect(pictures=tf.constant(picture[None]))
        return _first({name: each.numpy() for name, each in answers.items()})

    run.loaded = loaded  # type: ignore[attr-defined]  # its variables live as long as this
    return run


def write_openvino(module: Any, path: Path) -> None:
    from detector.engines.openvino_library import load_converter

    openvino = load_converter()
    openvino.save_model(openvino.convert_model(module.detect), path, compress_to_fp16=False)


def open_openvino(path: Path) -> Run:
    from detector.engines.openvino_library import the_core

    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = the_core().compile_model(path, "CPU", exact)
    return lambda picture: _first({port.any_name: each for port, each in compiled(picture[None]).items()})


def write_litert(module: Any, path: Path) -> None:
    import tensorflow as tf

    # By way of a SavedModel: only so do inputs and outputs keep their names.
    with TemporaryDirectory() as folder:
        write_saved_model(module, Path(folder))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serving_default"])
        path.write_bytes(converter.convert())


def open_litert(path: Path) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    detect = interpreter.get_signature_runner()
    return lambda picture: _first(detect(pictures=picture[None]))


def _first(answers: Arrays) -> Arrays:
    return {name: np.array(each[0]) for name, each in answers.items()}


FORMATS: dict[str, Format] = {
    "onnx": Format(".onnx", write_onnx, open_onnx, ("tf2onnx", "onnxruntime")),
    "saved-model": Format("", write_saved_model, open_saved_model),
    "openvino": Format(".xml", write_openvino, open_openvino),
    "litert": Format(".tflite", write_litert, open_litert),
}
