"""The 8-bit network against floats: `python -m pytest -m benchmark -s tests/benchmarks/test_int8_speed.py`.

Nothing here fails because of a time: figures of a busy computer would be noise. Read the last lines.
"""

from pathlib import Path
from statistics import median

import cv2
import pytest

from detector.class_names import known_class_names
from detector.engines import open_engine
from detector.engines.devices import processor_name
from detector.engines.int8_graph import save_int8
from detector.engines.quantise import quantised
from detector.model_store import Model, save_model
from detector.networks.catalog import build_network, new_card
from detector.networks.random_weights import randomize
from detector.networks.weights import weights_of
from tests.detector.engines.conftest import picture

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

# Time of the 8-bit network in parts of bfloat16 on processors with AMX, of float32 where there is only VNNI.
BARS = {"bfloat16": 0.75, "float32": 0.45}
ROUNDS = 30


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """SSD300 with random weights: speed is the same as with learnt ones."""
    pytest.importorskip("nncf")
    card = new_card("ssd300-vgg16", name="ssd300-vgg16-random", classes=known_class_names("voc"))
    network = build_network(card)
    randomize(network, card, picture(0, 300, 300).pixels, above=200)
    model = save_model(card, weights_of(network))
    paths = [tmp_path / f"{seed}.png" for seed in range(20)]
    for seed, path in enumerate(paths):
        cv2.imwrite(str(path), picture(seed, 300, 400).pixels)
    return save_int8(model, quantised(model, paths), {})


def test_ssd300_vgg16(model: Model) -> None:
    engines = {
        precision: open_engine(model, engine="openvino", precision=precision)
        for precision in ("int8", "bfloat16", "float32")
    }
    times: dict[str, list[float]] = {precision: [] for precision in engines}
    frame = picture(99, 480, 640)
    for _ in range(ROUNDS):  # in turns: what else the computer does meets all of them
        for precision, engine in engines.items():
            engine.detect([frame])
            times[precision].append(engine.timing.network_ms)
    print(f"\n{processor_name()}, network of {model.name}, median of {ROUNDS}:")
    for precision, ones in times.items():
        print(f"  {precision}: {median(ones):.1f} ms")
    for precision, bar in BARS.items():
        part = median(times["int8"]) / median(times[precision])
        print(f"  int8 in parts of {precision}: {part:.2f}, bar {bar}")
