"""Which engine runs, and what is said when one cannot."""

import json

import pytest

from detector.engines import open_engine
from detector.engines.devices import cuda_devices
from detector.errors import EngineError, OptionError
from detector.model_store import Model
from tests.detector.engines.conftest import OPEN_AND_SAY, run_python

without_gpu = pytest.mark.skipif(bool(cuda_devices()), reason="this computer has a CUDA GPU")


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("engine", "onnx", "--engine cannot be 'onnx'; it is one of auto, openvino, keras."),
        ("device", "cuda", "--device cannot be 'cuda'; it is one of auto, cpu, gpu."),
        ("precision", "float16", "--precision cannot be 'float16'; did you mean 'bfloat16'?"),
    ],
)
def test_a_name_that_does_not_exist_is_answered_with_those_that_do(
    small: Model, option: str, value: str, sentence: str
) -> None:
    with pytest.raises(OptionError) as error:
        open_engine(small, **{option: value})  # type: ignore[arg-type]
    assert str(error.value) == sentence


@without_gpu
def test_without_a_gpu_openvino_runs_and_no_framework_is_loaded(small: Model) -> None:
    said = json.loads(run_python(OPEN_AND_SAY, "auto", "float32", home=small.folder.parent).stdout)
    assert said["device"] == "OpenVINO CPU float32"
    assert said["loaded"] == ["openvino"]


@without_gpu
@pytest.mark.parametrize("engine", ["auto", "keras"])
def test_a_gpu_that_is_not_there_is_refused_in_words(small: Model, engine: str) -> None:
    with pytest.raises(EngineError, match="TensorFlow finds no CUDA GPU"):
        open_engine(small, engine=engine, device="gpu")


def test_openvino_does_not_pretend_to_run_on_a_gpu(small: Model) -> None:
    with pytest.raises(EngineError, match="choose --engine keras"):
        open_engine(small, engine="openvino", device="gpu")


def test_without_openvino_keras_runs_with_a_word(small: Model) -> None:
    missing = "import sys; sys.modules['openvino'] = None\nimport logging; logging.basicConfig()\n"
    said = run_python(missing + OPEN_AND_SAY, "auto", "auto", home=small.folder.parent)
    assert json.loads(said.stdout)["device"].startswith("Keras TensorFlow")
    assert "OpenVINO is not installed; Keras is used instead" in said.stderr


def test_openvino_asked_for_but_missing_is_an_error_in_words(small: Model) -> None:
    code = (
        "import sys; sys.modules['openvino'] = None\n"
        "from detector.engines import open_engine; from detector.model_store import find_model\n"
        "from detector.errors import EngineError\n"
        "try: open_engine(find_model('small'), engine='openvino')\n"
        "except EngineError as error: print(error)"
    )
    said = run_python(code, home=small.folder.parent)
    assert "pip install openvino" in said.stdout
