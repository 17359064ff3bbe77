"""How long each stage of `detect` takes alone, and all of them together: run by hand with `-m benchmark -s`.

Where there are cores enough, the way as a whole is as fast as its slowest stage alone. Where one stage alone
keeps all cores busy, the others take their share of them: no frame can cost less than the sum of the
processor times over the number of cores, so that bound is printed too.
"""

import os
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
from app.pipeline.recorder.annotated_video import AnnotatedVideo
from app.recording import Recorder
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

    def annotate() -> None:
        for frame, detections in zip(seen, found):
            draw(frame.pixels, detections, model.labels)

    def encode(pictures: Sequence[Frame], name: str) -> None:
        with Recorder(tmp_path / name, seen[0].height, seen[0].width, 25.0) as recorder:
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
        "draw": cost_of(annotate, len(seen)),
        "encode": cost_of(lambda: encode(seen, "alone.mp4"), len(seen)),
        "all, no recording": cost_of(lambda: together(False), len(seen)),
        "all": cost_of(lambda: together(True), len(seen)),
    }
    print(f"\n{clip}, {seen[0].width}x{seen[0].height}, {engine.device}, batch {BATCH}; ms a frame")
    for name, cost in costs.items():
        print(f"  {name:<18} clock {cost.clock:6.2f}  processor {cost.processor:6.2f}")
    writing = Cost(
        costs["draw"].clock + costs["encode"].clock, costs["draw"].processor + costs["encode"].processor
    )
    slowest = max(costs["decode"].clock, costs["detect"].clock, writing.clock)
    work = costs["decode"].processor + costs["detect"].processor + writing.processor
    bound = max(slowest, work / len(os.sched_getaffinity(0)))
    print(f"  {slowest / costs['all'].clock:.2f} of the throughput of the slowest stage alone")
    print(f"  {bound / costs['all'].clock:.2f} of what these cores allow")


def test_peak_memory(shared: Path, tmp_path: Path, model: Model) -> None:
    open_engine(model).close()  # the conversion happens once, in a process of its own
    arguments = [
        "detect", str(shared / "video" / CLIPS[0]), "--model", model.name,
        "--record", str(tmp_path / "out.mp4"), "--json", str(tmp_path / "out.jsonl"),
    ]  # fmt: skip
    # not ru_maxrss: a child begins with that of its parent, which holds hundreds of frames here
    code = (
        "import sys, main; main.main(sys.argv[1:]);"
        "print(*(line for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    root = Path(__file__).resolve().parents[2]
    said = subprocess.check_output([sys.executable, "-c", code, *arguments], cwd=root, text=True)
    print("\n" + said)
