"""The Keras engine: one graph for a number of pictures, made once."""

from collections.abc import Iterator

import numpy as np
import pytest

from detector.engines import open_engine
from detector.engines.keras_engine import KerasEngine
from detector.errors import EngineError
from detector.model_store import Model, find_model
from detector.values import Frame
from tests.detector.engines.conftest import picture, run_python

FRAMES = [picture(1, 120, 200), picture(2, 96, 160), picture(3, 301, 203), picture(4, 480, 640)]


@pytest.fixture(scope="module")
def engine(engine_home: object) -> Iterator[KerasEngine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSD_STUDIO_HOME", str(engine_home))
        model = find_model("small")
    engine = open_engine(model, engine="keras", device="cpu", batch=4)
    assert isinstance(engine, KerasEngine)
    yield engine
    engine.close()


def test_what_runs_is_said(engine: KerasEngine) -> None:
    assert engine.device == "Keras TensorFlow CPU float32"


def test_after_opening_nothing_is_traced_again(engine: KerasEngine) -> None:
    assert engine.traces == 3  # graphs for 1, 2 and 4 pictures
    for count in (1, 2, 3, 4, 5, 9):
        engine.detect((FRAMES * 3)[:count])
    for limit in (0.1, 0.45, 0.9):
        engine.detect(FRAMES, nms_iou=limit, floor=limit, max_detections=int(limit * 100))
    assert engine.traces == 3


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 7])
def test_many_frames_are_answered_in_order_as_each_alone(engine: KerasEngine, count: int) -> None:
    frames = [FRAMES[index % len(FRAMES)] for index in range(count)]
    together = engine.detect(frames)
    assert len(together) == count
    for found, frame in zip(together, frames):
        (alone,) = engine.detect([frame])
        np.testing.assert_array_equal(found.anchor_ids, alone.anchor_ids)
        np.testing.assert_allclose(found.scores, alone.scores, atol=1e-5)
        np.testing.assert_allclose(found.boxes, alone.boxes, atol=0.01)


def test_boxes_lie_within_their_frame(engine: KerasEngine) -> None:
    for frame, found in zip(FRAMES, engine.detect(FRAMES)):
        assert len(found) > 10
        assert found.boxes.min() >= 0
        assert (found.boxes <= [frame.width, frame.height] * 2).all()


def test_each_call_has_its_own_limits(engine: KerasEngine) -> None:
    (usual,) = engine.detect([FRAMES[0]])
    assert len(engine.detect([FRAMES[0]], max_detections=3)[0]) == 3
    assert len(engine.detect([FRAMES[0]], nms_iou=0.1)[0]) < len(usual)
    assert engine.detect([FRAMES[0]], floor=0.3)[0].scores.min() > 0.3
    assert len(engine.detect([FRAMES[0]])[0]) == len(usual)


def test_a_picture_of_nothing_holds_nothing_above_a_high_floor(engine: KerasEngine) -> None:
    assert len(engine.detect([Frame(np.zeros((50, 50, 3), np.uint8))], floor=0.999)[0]) == 0


def test_bfloat16_answers_nearly_the_same(engine: KerasEngine, small: Model) -> None:
    coarse = open_engine(small, engine="keras", device="cpu", precision="bfloat16")
    assert coarse.device == "Keras TensorFlow CPU bfloat16"
    exact = {(a, c): s for a, c, s in _rows(engine, FRAMES[0])}
    rough = {(a, c): s for a, c, s in _rows(coarse, FRAMES[0])}
    both = exact.keys() & rough.keys()
    assert len(both) >= 0.8 * len(exact)
    differences = [abs(exact[each] - rough[each]) for each in both]
    assert 0 < max(differences) < 0.05  # not 0: it is another precision


def _rows(engine: object, frame: Frame) -> list[tuple[int, int, float]]:
    (found,) = engine.detect([frame], floor=0.1)  # type: ignore[attr-defined]
    return list(zip(found.anchor_ids.tolist(), found.class_ids.tolist(), found.scores.tolist()))


def test_a_precision_that_keras_does_not_have_is_refused_in_words(small: Model) -> None:
    with pytest.raises(EngineError, match="Only the OpenVINO engine runs int8 models"):
        open_engine(small, engine="keras", device="cpu", precision="int8")


def test_a_backend_that_cannot_run_models_is_refused_in_words(small: Model) -> None:
    code = (
        "from detector.engines import open_engine; from detector.model_store import find_model\n"
        "from detector.errors import EngineError\n"
        "try: open_engine(find_model('small'), engine='keras')\n"
        "except EngineError as error: print(error)"
    )
    said = run_python(code, home=small.folder.parent, KERAS_BACKEND="numpy")
    assert said.stdout.strip() == "Keras is told to run on numpy; set KERAS_BACKEND to tensorflow or jax."
    said = run_python(code, home=small.folder.parent, KERAS_BACKEND="abacus")
    assert "KERAS_BACKEND may be tensorflow or jax" in said.stdout
