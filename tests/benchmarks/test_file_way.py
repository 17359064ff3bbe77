"""How long each stage of `detect` takes alone, and all of them together: run by hand with `-m benchmark -s`.

The way as a whole is as good as its slowest stage would be alone, where there are cores enough; on few cores the
stages share them, so the sum of their processor time is printed too.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.overlay import draw
from app.pipeline.batch import Batch, Job
from app.pipeline.choice import Choice
from app.recording import Recorder
from app.recording.sinks import AnnotatedVideo
from app.sources import frames, open_source
from detector.engines import open_engine
from detector.importers import import_file
from detector.model_store import Model, save_model
from detector.values import Detections, Frame

pytestmark = pytest.mark.benchmark

CLIPS = ("one-by-one-person-detection.mp4", "traffic.mp4")
BATCH = 8


@pytest.fixture
def model(shared: Path) -> Model:
    imported = import_file(shared / "models" / "coco_ssd_mobilenet_v1_quant.tflite", name="coco")
    return save_model(imported.card, imported.weights)


@dataclass(frozen=True)
class Cost:
    """Milliseconds a frame: by the clock, and of all processors together."""

    clock: float
    processor: float


def cost_of(act: Callable[[], object], count: int) -> Cost:
    clock, processor = time.perf_counter(), time.process_time()
    act()
    return Cost((time.perf_counter() - clock) * 1e3 / count, (time.process_time() - processor) * 1e3 / count)


@pytest.mark.parametrize("clip", CLIPS)
def test_stages_alone_and_together(shared: Path, tmp_path: Path, model: Model, clip: str) -> None:
    video = str(shared / "video" / clip)
    seen = list(frames(open_source(video)))[:480]
    engine = open_engine(model, batch=BATCH)
    choice = Choice(min_score=model.card.min_score)

    def detect() -> list[Detections]:
        found: list[Detections] = []
        for start in range(0, len(seen), BATCH):
            found += engine.detect(seen[start : start + BATCH], floor=choice.min_score)
        return found

    def encode(pictures: Sequence[Frame], name: str) -> None:
        with Recorder(tmp_path / name, seen[0].width, seen[0].height, 25.0) as recorder:
            for picture in pictures:
                recorder.write(picture.pixels, picture.pts)

    def together(record: bool) -> None:
        source = open_source(video)
        path = tmp_path / f"{record}.mp4"
        sinks = [AnnotatedVideo(path, source, model.labels, force=True)] if record else []
        job = Job(name=clip, source=source, sinks=sinks)
        Batch([job], engine, choice, batch=BATCH, max_frames=len(seen)).run()

    found = detect()
    costs = {
        "decode": cost_of(
            lambda: sum(1 for _ in zip(range(len(seen)), frames(open_source(video)))), len(seen)
        ),
        "detect": cost_of(detect, len(seen)),
        "draw": cost_of(lambda: [draw(f.pixels, d, model.labels) for f, d in zip(seen, found)], len(seen)),
        "encode": cost_of(lambda: encode(seen, "alone.mp4"), len(seen)),
        "all, no recording": cost_of(lambda: together(False), len(seen)),
        "all": cost_of(lambda: together(True), len(seen)),
    }
    print(f"\n{clip}, {seen[0].width}x{seen[0].height}, {engine.device}, batch {BATCH}; ms a frame")
    for name, cost in costs.items():
        print(f"  {name:<18} clock {cost.clock:6.2f}  processor {cost.processor:6.2f}")
    slowest = max(costs["decode"].clock, costs["detect"].clock, costs["draw"].clock + costs["encode"].clock)
    print(f"  throughput is {slowest / costs['all'].clock:.2f} of the slowest stage alone")


def test_peak_memory(shared: Path, tmp_path: Path, model: Model) -> None:
    """Of a second run: the first prepares the model."""
    root = Path(__file__).resolve().parents[2]
    for run in ("first", "second"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        command = [
            sys.executable, "main.py", "detect", str(shared / "video" / CLIPS[0]), "--model", model.name,
            "--record", str(tmp_path / f"{run}.mp4"), "--json", str(tmp_path / f"{run}.jsonl"),
        ]  # fmt: skip
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        print(
            f"\n{run} run: {done.stdout.strip()}\n  peak of all runs so far {max(before, peak) / 1024:.0f} MiB"
        )
