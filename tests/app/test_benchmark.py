"""Figures that people compare: what is counted, against what, and how it is told."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import main
from app.benchmark.measuring import Way, measure
from app.benchmark.subjects import drawn_frame
from tests.app.videos import write_video

ROOT = Path(main.__file__).parent


def test_ways_take_turns_and_the_first_call_of_a_turn_does_not_count():
    order: list[str] = []

    def way(name: str) -> Way:
        def call() -> dict[str, float]:
            first = not order or order[-1] != name
            order.append(name)
            return {"network": 1000.0 if first else 1.0}

        return Way(name, "a loop", call)

    rows = measure([way("a"), way("b")], rounds=3)
    turns = [name for index, name in enumerate(order) if index == 0 or order[index - 1] != name]
    assert turns == ["a", "b"] * 3
    assert [(row.stages["network"].median, row.stages["network"].p95) for row in rows] == [(1.0, 1.0)] * 2
    assert sum(row.calls for row in rows) == len(order) - 6


def test_the_middle_and_the_95th_of_100_calls_are_told():
    durations = iter([0.0, *range(1, 102)])
    taken: list[float] = []

    def call() -> dict[str, float]:
        taken.append(float(next(durations, 51)))
        return {"network": taken[-1] / 2, "whole": taken[-1]}

    (row,) = measure([Way("a", "numbers", call, batch=4)], rounds=1)
    counted = taken[1:]
    assert row.total.median == np.median(counted)
    assert row.total.p95 == np.percentile(counted, 95)
    assert row.pictures_per_second == 4000 / row.total.median
    assert row.ratio_to(row) == 2.0  # the whole call, in parts of the network


def test_the_drawn_frame_is_always_the_same():
    frame = drawn_frame(320, 200)
    assert (frame.width, frame.height) == (320, 200)
    np.testing.assert_array_equal(frame.pixels, drawn_frame(320, 200).pixels)
    assert frame.pixels.std() > 30  # something to see


def test_a_model_is_compared_with_tensorflow_and_litert_and_on_its_way_through_a_file(
    coco_home: Path, shared: Path, tmp_path: Path
):
    video = tmp_path / "numbers.mp4"
    write_video(video, 12)
    tflite = shared / "models" / "coco_ssd_mobilenet_v1_quant.tflite"
    files = ["--json", tmp_path / "speed.json", "--markdown", tmp_path / "speed.md"]
    what = ["--model", "coco", "--tflite", tflite, "--video", video, "--rounds", "1"]
    said = subprocess.run(
        [sys.executable, "main.py", "benchmark", *what, *files],
        cwd=ROOT,
        env=os.environ | {"SSD_STUDIO_HOME": str(coco_home), "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert said.returncode == 0, said.stderr

    told = json.loads((tmp_path / "speed.json").read_text())
    assert told["about"]["frame"] == "1280x720, numbers.mp4"
    rows = {row["runs_on"]: row for row in told["rows"]}
    plain = rows["TensorFlow CPU float32, network alone"]
    ours = rows["OpenVINO CPU float32"]
    foreign = rows["LiteRT CPU 8 bit, 2 threads, selection included"]
    assert set(ours["stages"]) == {"resize", "network", "selection", "whole"}
    assert min(stage["median_ms"] for stage in ours["stages"].values()) > 0
    whole, network = ours["stages"]["whole"]["median_ms"], plain["stages"]["network"]["median_ms"]
    assert ours["of TensorFlow"] == pytest.approx(whole / network, abs=2e-3)
    assert ours["of LiteRT"] == pytest.approx(whole / foreign["stages"]["network"]["median_ms"], abs=2e-3)
    assert plain["of TensorFlow"] == 1.0
    assert set(told["file"]) == {"reading", "detecting", "recording", "together", "allowed", "of_slowest"}

    lines = (tmp_path / "speed.md").read_text().splitlines()
    stages = "resize | network | selection | whole | p95"
    assert f"| model | runs on | {stages} | of TensorFlow | of LiteRT | pictures/s |" in lines
    for row in rows:
        assert any(row in line for line in lines)
        assert row in said.stdout
    assert not list(tmp_path.glob("*.mp4.part*"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--rounds", "0"], "--rounds cannot be 0"),
        (["--device", "tpu"], "--device cannot be 'tpu'; it is one of cpu, gpu."),
        (["--video", __file__], "--video needs --model"),
        (["--tflite", "nowhere.tflite"], "There is no file nowhere.tflite"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_measured(arguments, sentence, capsys):
    assert main.main(["benchmark", *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_a_page_that_exists_is_not_replaced_unasked(tmp_path, capsys):
    page = tmp_path / "speed.md"
    page.write_text("mine")
    assert main.main(["benchmark", "--markdown", str(page)]) == 2
    assert "--force" in capsys.readouterr().err
    assert page.read_text() == "mine"
