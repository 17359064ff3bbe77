"""Whole calls against the bars that were set for them: `python -m pytest -m benchmark -s tests/benchmarks`.

Nothing here fails because of a time: figures of a busy computer would be noise. Read the last column.
"""

from pathlib import Path

import pytest

from app.benchmark.measuring import Row
from app.benchmark.report import page
from app.benchmark.runs import BenchmarkOptions, Measured, benchmark
from detector.engines.devices import cuda_devices, processor_name
from detector.importers import import_file
from detector.model_store import save_model

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

# Whole call in parts of the other's network. Those of bfloat16 are for processors with AMX.
BARS = {
    ("ssd300-vgg16-random", "OpenVINO CPU bfloat16", "of TensorFlow"): 0.14,
    ("ssd300-vgg16-random", "OpenVINO CPU float32", "of TensorFlow"): 0.70,
    ("ssd300-mobilenet-v1-random", "OpenVINO CPU bfloat16", "of TensorFlow"): 0.32,
    ("ssd300-mobilenet-v1-random", "OpenVINO CPU float32", "of TensorFlow"): 0.62,
    ("coco", "OpenVINO CPU bfloat16", "of LiteRT"): 0.65,
}
AROUND_MS = 1.5  # resizing and selection


def measured_with(**options: object) -> Measured:
    chosen = BenchmarkOptions(**options)  # type: ignore[arg-type]
    return benchmark(chosen, on_round=lambda done, total: None, notify=print)


def tell(measured: Measured) -> None:
    print("\n" + page(measured, markdown=False) + f"\n\n{processor_name()}:")
    for row in measured.rows:
        name = f"{row.way.model}, {row.way.runs_on}"
        for heading, ones in measured.against.items():
            bar = BARS.get((row.way.model, row.way.runs_on, heading))
            fitting = [one for one in ones if one.way.model == row.way.model or len(ones) == 1]
            if bar and fitting:
                print(f"{name}: {row.ratio_to(fitting[0]):.2f} {heading}, bar {bar}")
        if row.way.runs_on.startswith("OpenVINO"):
            print(f"{name}: {around(row):.2f} ms around the network, bar {AROUND_MS}")


def around(row: Row) -> float:
    return row.stages["resize"].median + row.stages["selection"].median


def test_the_networks_that_everybody_compares():
    tell(measured_with(rounds=40))


def test_the_coco_model_and_litert(shared: Path, studio_home: Path):
    tflite = shared / "models" / "coco_ssd_mobilenet_v1_quant.tflite"
    imported = import_file(tflite, name="coco")
    save_model(imported.card, imported.weights)
    video = shared / "video" / "one-by-one-person-detection.mp4"
    tell(measured_with(model="coco", tflite=tflite, video=video, rounds=60))


@pytest.mark.skipif(not cuda_devices(), reason="this computer has no CUDA GPU")
def test_batches_on_a_gpu():
    tell(measured_with(device="gpu", rounds=20))
