"""The OpenVINO engine on a small random network, against the same network run by Keras and plain loops."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest

from detector.anchors import generate
from detector.engines import Engine, open_engine
from detector.engines.graph_cache import graph_path
from detector.engines.graph_file import Graph, read_graph, write_graph
from detector.engines.openvino_engine import choose_precision
from detector.engines.openvino_library import library_version, load_openvino, the_core
from detector.errors import EngineError
from detector.model_store import Model
from detector.networks.catalog import load_network
from detector.values import Frame
from tests.detector.engines.conftest import picture
from tests.detector.engines.tiny import tiny_graph, tiny_model
from tests.detector.plain_nms import plain_nms

FRAMES = [picture(1, 120, 200), picture(2, 96, 160), picture(3, 301, 203), picture(4, 480, 640)]


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, Engine]]:
    opened: dict[str, Engine] = {}
    yield opened
    for engine in opened.values():
        engine.close()


@pytest.fixture
def engine(small: Model, engines: dict[str, Engine]) -> Engine:
    if "alone" not in engines:
        engines["alone"] = open_engine(small, engine="openvino", precision="float32")
    return engines["alone"]


@pytest.fixture
def batching(small: Model, engines: dict[str, Engine]) -> Engine:
    if "batching" not in engines:
        engines["batching"] = open_engine(small, engine="openvino", precision="float32", batch=4)
    return engines["batching"]


@pytest.fixture(scope="module")
def networks() -> dict[str, keras.Model]:
    return {}


def plainly(
    model: Model, network: keras.Model, frame: Frame, *, floor: float, nms_iou: float
) -> dict[str, Any]:
    """The same in float64 with plain loops: every anchor decoded, every score looked at."""
    card = model.card
    height, width = card.input_size
    pixels = cv2.resize(frame.pixels, (width, height))[..., ::-1].astype(np.float32)
    answers = {name: keras.ops.convert_to_numpy(each)[0] for name, each in network(pixels[None]).items()}
    scores = 1 / (1 + np.exp(-answers["logits"][:, 1:].astype(np.float64)))
    cx, cy, w, h = generate(card.anchors).T.astype(np.float64)
    dx, dy, dw, dh = (answers["offsets"] * np.array(card.variances)).T
    cx, cy, w, h = cx + dx * w, cy + dy * h, w * np.exp(dw), h * np.exp(dh)
    boxes = np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], axis=1)
    anchor_ids, class_ids = np.nonzero(scores > floor)
    kept = plain_nms(boxes[anchor_ids], scores[anchor_ids, class_ids], class_ids, nms_iou)
    anchor_ids, class_ids = anchor_ids[kept], class_ids[kept]
    size = np.array([frame.width, frame.height] * 2)
    return {
        "boxes": np.clip(boxes[anchor_ids] * size, 0, size),
        "scores": scores[anchor_ids, class_ids],
        "class_ids": class_ids,
        "anchor_ids": anchor_ids,
    }


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: f"{frame.width}x{frame.height}")
def test_a_frame_of_any_size_is_answered_as_the_network_answers_it(
    small: Model, engine: Engine, networks: dict[str, keras.Model], frame: Frame
) -> None:
    network = networks.setdefault("small", None) or load_network(small)
    networks["small"] = network
    (found,) = engine.detect([frame], floor=0.05, nms_iou=0.45)
    expected = plainly(small, network, frame, floor=0.05, nms_iou=0.45)
    assert len(found) > 10
    np.testing.assert_array_equal(found.anchor_ids, expected["anchor_ids"])
    np.testing.assert_array_equal(found.class_ids, expected["class_ids"])
    np.testing.assert_allclose(found.scores, expected["scores"], atol=1e-4)
    np.testing.assert_allclose(found.boxes, expected["boxes"], atol=0.05)


def same(one: Any, other: Any) -> bool:
    names = ("boxes", "scores", "class_ids", "anchor_ids")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_many_frames_are_answered_in_order_as_each_alone(
    engine: Engine, batching: Engine, count: int
) -> None:
    frames = [FRAMES[index % len(FRAMES)] for index in range(count)]
    alone = [engine.detect([frame])[0] for frame in frames]
    for found in (engine.detect(frames), batching.detect(frames)):
        assert len(found) == count
        for one, other in zip(found, alone):
            np.testing.assert_array_equal(one.anchor_ids, other.anchor_ids)
            np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
            np.testing.assert_allclose(one.boxes, other.boxes, atol=0.01)


def test_each_call_has_its_own_limits(engine: Engine) -> None:
    (usual,) = engine.detect([FRAMES[0]])
    assert len(engine.detect([FRAMES[0]], max_detections=3)[0]) == 3
    assert len(engine.detect([FRAMES[0]], nms_iou=0.1)[0]) < len(usual)
    assert engine.detect([FRAMES[0]], floor=0.3)[0].scores.min() > 0.3
    assert same(engine.detect([FRAMES[0]])[0], usual)


def test_what_was_found_stays_when_the_next_frame_is_looked_at(engine: Engine) -> None:
    (found,) = engine.detect([FRAMES[0]])
    kept = found.boxes.copy(), found.scores.copy()
    engine.detect([FRAMES[1]])
    np.testing.assert_array_equal(found.boxes, kept[0])
    np.testing.assert_array_equal(found.scores, kept[1])


def test_the_time_of_a_call_is_told_by_stage(engine: Engine) -> None:
    engine.detect(FRAMES)
    timing = engine.timing
    assert min(timing.resize_ms, timing.network_ms, timing.selection_ms) > 0


def test_bfloat16_is_taken_where_the_processor_has_units_for_it(small: Model) -> None:
    assert choose_precision("auto", ["BF16", "WINOGRAD", "FP32"], small) == "bfloat16"  # AVX512-BF16, AMX
    assert choose_precision("auto", ["WINOGRAD", "FP32", "INT8"], small) == "float32"  # AVX-512 before it
    assert choose_precision("auto", ["BF16", "FP32", "INT8"], small) == "float32"  # converts, no more
    assert choose_precision("float32", ["BF16", "WINOGRAD", "FP32"], small) == "float32"


def test_a_precision_that_cannot_be_had_is_refused_in_words(small: Model) -> None:
    with pytest.raises(EngineError, match="does not compute in bfloat16; choose --precision float32"):
        choose_precision("bfloat16", ["FP32"], small)
    with pytest.raises(EngineError, match="'small' has no int8 version"):
        choose_precision("int8", ["FP32", "INT8"], small)


def test_what_runs_is_said_and_shares_the_converted_graph(small: Model) -> None:
    words: list[str] = []
    try:
        engine = open_engine(small, engine="openvino", precision="bfloat16", notify=words.append)
    except EngineError as error:
        pytest.skip(str(error))
    assert engine.device == "OpenVINO CPU bfloat16"
    assert words == []


def test_in_bfloat16_the_first_layers_and_the_answers_stay_exact(small: Model, engine_home: Path) -> None:
    (path,) = (engine_home / "cache" / "openvino").iterdir()
    graph, openvino, core = read_graph(path), load_openvino(), the_core()
    if "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor does not compute in bfloat16")
    network = core.read_model(graph.xml, openvino.Tensor(graph.weights, shared_memory=True))
    compiled = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})
    layers = [node.get_rt_info() for node in compiled.get_runtime_model().get_ordered_ops()]
    convolutions = [layer for layer in layers if layer["layerType"].astype(str) == "Convolution"]
    computing = [layer["runtimePrecision"].astype(str) for layer in convolutions]
    writing = [layer["outputPrecisions"].astype(str) for layer in convolutions]
    assert computing[:4] == ["f32"] * 4
    assert computing.count("bf16") > len(computing) / 2
    # Two heads on each of six maps.
    assert sum(pair == ("bf16", "f32") for pair in zip(computing, writing)) == 12


def test_a_graph_that_openvino_cannot_run_is_said_with_a_way_out(studio_home: Path) -> None:
    model, graph = tiny_model(), tiny_graph()
    path = graph_path(model, precision="float32", openvino_version=library_version(load_openvino()))
    write_graph(path, Graph(graph.xml.replace(b'type="ReLU"', b'type="Squash"'), graph.weights))
    with pytest.raises(EngineError, match=r"'small' in float32 \(.+\); choose --engine keras\."):
        open_engine(model, engine="openvino", precision="float32")
