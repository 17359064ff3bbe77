"""The 8-bit version of a model: made from pictures, kept beside the weights, used where the card says so."""

import logging
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.engines import open_engine
from detector.engines.int8_graph import read_int8, save_int8
from detector.engines.quantise import quantised
from detector.errors import EngineError
from detector.model_store import Model, find_model, read_weights, save_model
from tests.detector.engines.conftest import picture
from tests.detector.engines.tiny import tiny_graph, tiny_model


@pytest.fixture
def own() -> Model:
    return tiny_model()


def with_int8(model: Model) -> Model:
    """With its own float32 graph in the place of an 8-bit one: what is tried here is how it is kept."""
    return save_int8(model, tiny_graph(), {"voc07_map": 0.5})


def test_eight_bits_answer_nearly_as_float32_does(own: Model, tmp_path: Path) -> None:
    pytest.importorskip("nncf")
    (tmp_path / "pictures").mkdir()
    paths = [tmp_path / "pictures" / f"{seed}.png" for seed in range(8)]
    for seed, path in enumerate(paths):
        cv2.imwrite(str(path), picture(seed, 120, 200).pixels)
    told: list[tuple[int, int]] = []
    model = save_int8(own, quantised(own, paths, progress=lambda *each: told.append(each)), {})
    assert told[0] == (1, 8) and told[-1] == (8, 8)

    exact, small = (open_engine(model, engine="openvino", precision=each) for each in ("float32", "int8"))
    assert small.device == "OpenVINO CPU int8"
    for seed in (20, 21, 22):
        tables = []
        for engine in (exact, small):
            # every anchor and class has a score: NMS lets all stay, so that they can be laid side by side
            (found,) = engine.detect([picture(seed, 96, 160)], floor=0.0, nms_iou=1.0, max_detections=180)
            table = np.full((60, 3), np.nan)
            table[found.anchor_ids, found.class_ids] = found.scores
            tables.append(table)
        differences = np.abs(tables[0] - tables[1])
        assert 0 < differences.mean() < 0.02  # not 0: it is another precision


def test_the_8_bit_version_is_used_where_the_card_speaks_of_one(own: Model) -> None:
    assert open_engine(own, engine="openvino").device != "OpenVINO CPU int8"
    model = with_int8(own)
    assert find_model("small") == model and model.card.measured["int8"] == {"voc07_map": 0.5}
    assert open_engine(model, engine="openvino").device == "OpenVINO CPU int8"
    assert open_engine(model, engine="openvino", precision="float32").device == "OpenVINO CPU float32"


@pytest.mark.parametrize("damage", ["missing", "cut", "another"])
def test_without_its_file_auto_goes_on_in_floats_and_says_so(
    own: Model, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    model = with_int8(own)
    if damage == "missing":
        model.int8_path.unlink()
    elif damage == "cut":
        model.int8_path.write_bytes(model.int8_path.read_bytes()[:-1])
    else:
        graph = read_int8(model)
        save_int8(model, graph._replace(xml=graph.xml + b"\n"), {})  # `model` still has the old card
    caplog.set_level(logging.WARNING)
    assert open_engine(model, engine="openvino").device != "OpenVINO CPU int8"
    assert "The 8-bit version is not used" in caplog.text and "models quantise small" in caplog.text
    with pytest.raises(EngineError, match="make it again with 'python main"):
        open_engine(model, engine="openvino", precision="int8")


def test_other_weights_under_the_name_have_no_8_bit_version(own: Model) -> None:
    model = with_int8(own)
    saved = save_model(model.card, read_weights(model), force=True)
    assert saved.card.int8_sha256 == "" and "int8" not in saved.card.measured
    assert not saved.int8_path.exists()


def test_without_nncf_it_is_said_how_to_get_it(own: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(EngineError, match=r"pip install -r requirements-int8\.txt"):
        quantised(own, [])
