"""The act of `annotate`: a recording and its boxes in, a copy with the boxes drawn in out."""

import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.blur import Blur
from app.commands.detect_report import Bar, summary
from app.commands.stopping import stopped_by
from app.outputs import jobs_for
from app.pipeline.batch import Batch
from app.pipeline.choice import Choice
from app.recording.sidecar import sidecar_path
from app.recording.sidecar_reading import RecordedEngine, Sidecar
from detector.errors import SourceError
from detector.values import Detections, Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotateOptions:
    """What `annotate` does. None means: as it was recorded."""

    clip: Path
    record: Path
    lines: Path | None = None
    min_score: float | None = None
    classes: Sequence[str] | None = None
    blur: Sequence[str] = ()
    quiet: bool = False
    force: bool = False


def _hiding(names: Sequence[str], sidecar: Sidecar) -> Callable[[Frame, Detections], Frame] | None:
    if not names:
        return None
    labels = sidecar.finder.labels
    labels.class_ids(names)  # a name that is misspelt must not leave somebody recognisable
    blur = Blur(names)
    # a frame without a line is one nobody knows anything about, not an empty one
    return lambda frame, _: blur.apply(frame, sidecar.found_at(frame.pts), labels)


def annotate(options: AnnotateOptions) -> int:
    """Writes the copy and says what became of it.

    returns  the exit code
    raises   StudioError
    """
    if not options.clip.exists():  # told before its boxes are missed
        raise SourceError(f"{options.clip}: there is no such file; check the name.")
    sidecar = Sidecar(options.lines or sidecar_path(options.clip))
    labels = sidecar.finder.labels
    choice = Choice(
        min_score=sidecar.finder.min_score if options.min_score is None else options.min_score,
        class_ids=None if options.classes is None else frozenset(labels.class_ids(options.classes)),
    )
    bar = Bar(quiet=options.quiet)
    jobs = jobs_for(
        [str(options.clip)],
        start=0.0,
        record=options.record,
        labels=labels,
        force=options.force,
        tell=bar.warn,
    )
    engine, hide = RecordedEngine(sidecar), _hiding(options.blur, sidecar)
    with bar:
        batch = Batch(jobs, engine, choice, hide=hide, report=bar.moved, ended=bar.ended)
        started = time.monotonic()
        with stopped_by((signal.SIGINT, signal.SIGTERM), batch.stop) as signals:
            outcomes = batch.run()
        seconds = time.monotonic() - started
    if not options.quiet and any(outcome.frames for outcome in outcomes):
        said = summary(outcomes, None, labels, seconds=seconds, device=engine.device)
        print(f"Stopped: {said}" if signals else said, file=sys.stdout)
    if signals:
        return 130
    return 1 if any(outcome.error for outcome in outcomes) else 0
