"""The way of a file, `detect VIDEO --record OUT`: each stage alone, and all of them overlapping."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time

from app.outputs import jobs_for
from app.pipeline.batch import Batch
from app.pipeline.choice import Choice
from app.pipeline.recorder.annotated_video import AnnotatedVideo
from app.sources.decoder import decoding_seconds
from app.sources.file import VideoFile
from app.sources.source import frames
from detector.engines import Engine
from detector.engines.devices import usable_cores
from detector.model_store import Model

_FRAMES = 150
_BYTES = 300 * 2**20  # of frames held at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Frames a second of one video.

    reading, detecting, recording  the stage alone, with nothing else to do; recording with boxes drawn
    together                       as `detect` does it: all at the same time, on the same cores
    allowed                        what these cores could do together at most: a stage that keeps all of them
                                   busy leaves no time for the others
    """

    reading: float
    detecting: float
    recording: float
    together: float
    allowed: float

    @property
    def of_slowest(self) -> float:
        """The whole in parts of its slowest stage."""
        return self.together / min(self.reading, self.detecting, self.recording)


def measure_file(video: Path, model: Model, engine: Engine, *, batch: int) -> Rates:
    """Rates of the first seconds of a video.

    raises  SourceError, RecordingError
    """
    card = model.card
    choice = Choice(min_score=card.min_score, nms_iou=card.nms_iou, max_detections=card.max_detections)
    (first,) = islice(frames(VideoFile(video)), 1)
    count = max(1, min(_FRAMES, _BYTES // first.pixels.nbytes))
    source = VideoFile(video)
    seconds: dict[str, float] = {}
    work = _processor_seconds()

    with _timed(seconds, "reading"):
        shown = list(islice(frames(source), count))
    with _timed(seconds, "detecting"):
        found = [
            choice.of(detections)
            for index in range(0, len(shown), batch)
            for detections in engine.detect(shown[index : index + batch], floor=choice.min_score)
        ]
    with tempfile.TemporaryDirectory() as folder:
        with _timed(seconds, "recording"):
            sink = AnnotatedVideo(Path(folder) / "alone.mp4", source, model.labels)
            for frame, detections in zip(shown, found):
                sink.write(frame, detections)
            sink.close()
        work = _processor_seconds() - work  # of all cores
        slowest = max(seconds.values())
        out = Path(folder) / "together.mp4"
        jobs = jobs_for([str(video)], start=0.0, record=out, labels=model.labels, force=False)
        with _timed(seconds, "together"):
            Batch(jobs, engine, choice, batch=batch, max_frames=len(shown)).run()
    seconds["allowed"] = max(slowest, work / usable_cores())
    return Rates(**{stage: len(shown) / taken for stage, taken in seconds.items()})


def _processor_seconds() -> float:
    """Of this process and of the one that decodes for it."""
    return process_time() + decoding_seconds()


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    started = perf_counter()
    yield
    seconds[stage] = perf_counter() - started
