"""All engines say the same about the same pictures, as near as their arithmetic allows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detector.engines.devices import processor_name
from detector.engines.exact_layers import leading
from detector.engines.openvino_library import the_core
from detector.importers import import_file
from detector.model_store import save_model
from tests.detector.engines.conftest import picture, run_python

Answers = Mapping[str, NDArray[Any]]

ANSWER = "import sys; from tests.detector.engines.answers import main; main(*sys.argv[1:])"
EXACT = {"score": 1e-3, "pixels": 0.5}  # float32, whatever the order of its sums


def answers(
    folder: Path,
    *,
    home: Path,
    model: str,
    engine: str,
    precision: str = "float32",
    backend: str = "tensorflow",
) -> Answers:
    """What an engine says about the pictures in `folder/pictures`."""
    out = folder / f"{engine}-{precision}-{backend}.npz"
    arguments = model, engine, precision, str(folder / "pictures"), str(out)
    done = run_python(ANSWER, *arguments, home=home, KERAS_BACKEND=backend)
    assert done.returncode == 0, done.stderr
    return np.load(out)


def share_confirmed(
    claims: Answers, other: Answers, *, above: float, score: float, pixels: float = 0, of_side: float = 0
) -> float:
    """How many detections above a score the other one has too: same class, score and corners near enough.

    pixels, of_side  how far a corner may be away: in pixels, or as a part of the frame's longer side
    """
    confirmed = []
    for name in sorted({key.split(".")[0] for key in claims if "." in key}):
        near = max(pixels, of_side * claims[f"{name}.size"].max())
        boxes, scores, class_ids = (other[f"{name}.{each}"] for each in ("boxes", "scores", "class_ids"))
        for index in np.flatnonzero(claims[f"{name}.scores"] > above):
            same = class_ids == claims[f"{name}.class_ids"][index]
            same &= np.abs(scores - claims[f"{name}.scores"][index]) <= score
            same &= np.abs(boxes - claims[f"{name}.boxes"][index]).max(axis=1) <= near
            confirmed.append(bool(same.any()))
    assert len(confirmed) > 100
    return float(np.mean(confirmed))


def test_tensorflow_openvino_and_jax_agree_on_a_small_network(
    engine_home: Path, first_opening: object, tmp_path: Path
) -> None:
    (tmp_path / "pictures").mkdir()
    for index, size in enumerate([(120, 200), (96, 160), (301, 203), (480, 640)]):
        cv2.imwrite(str(tmp_path / "pictures" / f"{index}.png"), picture(index, *size).pixels)

    said = {
        name: answers(tmp_path, home=engine_home, model="small", engine=engine, backend=backend)
        for name, engine, backend in [
            ("TensorFlow", "keras", "tensorflow"),
            ("OpenVINO", "openvino", "tensorflow"),
            ("JAX", "keras", "jax"),
        ]
    }
    assert [str(each["device"]) for each in said.values()] == [
        "Keras TensorFlow CPU float32",
        "OpenVINO CPU float32",
        "Keras JAX CPU float32",
    ]
    # Above a little more than the floor of 0.05, where a score may fall out on one side and not on the other.
    for name, each in said.items():
        for other_name, other in said.items():
            assert share_confirmed(each, other, above=0.051, **EXACT) == 1, f"{name}, {other_name}"


def has_bfloat16() -> bool:
    return "BF16" in the_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_on_200_frames_the_coco_model_answers_alike_in_all_engines(shared: Path, tmp_path: Path) -> None:
    imported = import_file(shared / "models" / "coco_ssd_mobilenet_v1_quant.tflite", name="coco")
    save_model(imported.card, imported.weights, folder=tmp_path / "models")
    (tmp_path / "pictures").mkdir()
    for video in sorted((shared / "video").glob("*.mp4")):
        capture = cv2.VideoCapture(str(video))
        step = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) // 67
        for index in range(67 * step):
            if capture.grab() and index % step == 0:
                cv2.imwrite(
                    str(tmp_path / "pictures" / f"{video.stem}-{index:05}.png"), capture.retrieve()[1]
                )
    assert len(list((tmp_path / "pictures").iterdir())) >= 200

    def say(engine: str, precision: str, backend: str = "tensorflow") -> Answers:
        return answers(
            tmp_path, home=tmp_path, model="coco", engine=engine, precision=precision, backend=backend
        )

    reference = say("keras", "float32")
    for exact in (say("openvino", "float32"), say("keras", "float32", "jax")):
        assert share_confirmed(reference, exact, above=0.051, **EXACT) == 1
        assert share_confirmed(exact, reference, above=0.051, **EXACT) == 1
    coarse = [say("keras", "bfloat16")]
    if has_bfloat16():
        coarse.append(say("openvino", "bfloat16"))
    for each in coarse:
        share = share_confirmed(reference, each, above=0.3, score=0.03, of_side=0.01)
        print(f"{each['device']}: {share:.4f} of the detections above 0.3 ({processor_name()})")
        assert share >= 0.98


def test_the_layers_before_the_first_large_one_stay_exact() -> None:
    assert leading([15, 5, 26, 2, 26, 5, 52, 1, 27, 600]) == 6  # the COCO model's, in millions
    assert leading([155, 3318, 1659, 3318, 23000]) == 1  # SSD300's
    assert leading([5, 1]) == 0
    assert leading([]) == 0
