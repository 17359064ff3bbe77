"""What `benchmark` measures: which ways take turns, for which models, on which frame."""

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from app.benchmark.file_way import Rates, measure_file
from app.benchmark.measuring import Row, Way, measure
from app.benchmark.subjects import RANDOM_NETWORKS, drawn_frame, random_model
from app.benchmark.ways import litert, tensorflow_network, whole_call
from app.greetings import without_greetings
from app.sources.file import VideoFile
from app.sources.source import frames
from detector.engines import open_engine
from detector.engines.devices import processor_name, usable_cores
from detector.errors import EngineError, OptionError
from detector.model_store import Model, find_model
from detector.values import Frame

_SIZE = (1280, 720)  # width, height of the frame that is resized
_GPU_BATCHES = (1, 8, 64, 256)
_FILE_BATCH = 8  # as `detect` has it

OnRound = Callable[[int, int], None]
Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkOptions:
    """See `python main.py benchmark --help`."""

    model: str | None = None  # None: random weights
    tflite: Path | None = None
    video: Path | None = None
    device: str = "cpu"
    rounds: int = 40  # enough for 95th percentiles to settle

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise OptionError(f"--rounds cannot be {self.rounds}; give 1 or more.")
        if self.device not in ("cpu", "gpu"):
            raise OptionError(f"--device cannot be '{self.device}'; it is one of cpu, gpu.")
        if self.video and not self.model:
            raise OptionError("--video needs --model: random weights find nothing worth recording.")
        for path in (self.tflite, self.video):
            if path and not path.is_file():
                raise OptionError(f"There is no file {path}; check the name.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came out.

    about    what one must know to read it, in words: the processor, the frame
    rows     one for each way
    against  heading -> rows whose network is 1 there; one for each model, or one for all
    rates    of the way of a file, if one was given
    """

    about: Mapping[str, str]
    rows: Sequence[Row]
    against: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    rates: Rates | None = None


def benchmark(options: BenchmarkOptions, *, on_round: OnRound, notify: Notify) -> Measured:
    """raises  EngineError, ModelError, SourceError, RecordingError"""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    frame = drawn_frame(*_SIZE) if options.video is None else _first_frame(options.video)
    origin = options.video.name if options.video else "drawn"
    about = {
        "processor": f"{processor_name()}, {usable_cores()} cores",
        "frame": f"{frame.width}x{frame.height}, {origin}",
    }
    if options.device == "gpu":
        return Measured(about=about, rows=_on_gpu(options, frame, on_round))
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whose network the others are compared with
    with without_greetings():
        importlib.import_module("keras")
    if options.model:
        models = [find_model(options.model)]
    else:
        models = [random_model(name, frame, classes=count) for name, count in RANDOM_NETWORKS.items()]
    rows, against = _on_cpu(models, frame, options, on_round, notify)
    rates = None
    if options.video:
        with closing(open_engine(models[0], device="cpu", batch=_FILE_BATCH, notify=notify)) as engine:
            rates = measure_file(options.video, models[0], engine, batch=_FILE_BATCH)
    return Measured(about=about, rows=rows, against=against, rates=rates)


def _on_cpu(
    models: Sequence[Model], frame: Frame, options: BenchmarkOptions, on_round: OnRound, notify: Notify
) -> tuple[list[Row], dict[str, list[Row]]]:
    plain, ours, foreign = [], [], []
    with ExitStack() as stack:
        for model in models:
            plain.append(tensorflow_network(model, frame))
            for precision in ("float32", "bfloat16"):
                try:
                    engine = open_engine(model, engine="openvino", precision=precision, notify=notify)
                except EngineError as error:
                    if precision == "float32":
                        raise
                    notify(str(error))
                    continue
                ours.append(whole_call(model, stack.enter_context(closing(engine)), [frame]))
        if options.tflite:
            foreign.append(litert(options.tflite, frame))
        rows = measure([*plain, *ours, *foreign], rounds=options.rounds, on_round=on_round)

    def of(ways: Sequence[Way]) -> list[Row]:
        return [row for row in rows if row.way in ways]

    against = {"of TensorFlow": of(plain)} | ({"of LiteRT": of(foreign)} if foreign else {})
    return sorted(rows, key=lambda row: row.way.model), against


def _on_gpu(options: BenchmarkOptions, frame: Frame, on_round: OnRound) -> list[Row]:
    name, classes = next(iter(RANDOM_NETWORKS.items()))
    model = find_model(options.model) if options.model else random_model(name, frame, classes=classes)
    with closing(open_engine(model, engine="keras", device="gpu", batch=max(_GPU_BATCHES))) as engine:
        ways = [whole_call(model, engine, [frame] * batch) for batch in _GPU_BATCHES]
        return measure(ways, rounds=options.rounds, on_round=on_round)


def _first_frame(video: Path) -> Frame:
    (first,) = islice(frames(VideoFile(video)), 1)
    pixels = np.empty((_SIZE[1], _SIZE[0], 3), np.uint8)
    cv2.resize(first.pixels, _SIZE, dst=pixels)
    return Frame(pixels)
