"""The act of `detect`: options in, files and sentences out."""

import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.blur import Blur
from app.commands.detect_report import Bar, summary
from app.commands.event_options import event_options, open_log
from app.commands.stopping import stopped_by
from app.events import read_regions
from app.events.sink import EventSink
from app.greetings import load_keras_quietly
from app.outputs import jobs_for, recordings_of
from app.pipeline.batch import Batch
from app.pipeline.choice import Choice
from app.recording.lines import Lines, check_lines
from app.sources import warm_up
from detector.engines import open_engine
from detector.model_store import Model, default_model, find_model
from detector.values import Detections, Frame, LabelMap


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectOptions:
    """What `detect` does. None means: as the model's card says, or without that file or limit."""

    sources: Sequence[str]
    model: str | None = None  # the one that ships, or the only one there is
    record: Path | None = None
    json: Path | None = None  # "-": the standard output
    min_score: float | None = None
    nms_iou: float | None = None
    max_detections: int | None = None
    classes: Sequence[str] | None = None
    blur: Sequence[str] | None = None
    start: float = 0.0  # seconds into each video
    max_frames: int | None = None  # of each source
    capture: str = "auto"  # or "opencv"
    batch: int = 8  # frames together use all cores better than one by one
    engine: str = "auto"
    device: str = "auto"
    precision: str = "auto"
    zones: Path | None = None
    events: Path | None = None
    on_event: str | None = None
    quiet: bool = False
    force: bool = False


def detect(options: DetectOptions) -> int:
    """Looks at everything once and says what became of it.

    returns  the exit code
    raises   StudioError
    """
    model = find_model(options.model) if options.model else default_model()
    warm_up()  # the decoder starts while the network is made ready
    choice, hide = _choice(options, model), _hiding(options.blur, model.labels)
    lines, bar = _lines(options, model.labels), Bar(quiet=options.quiet)
    events = _events(options, model.labels, choice)
    jobs = jobs_for(
        options.sources,
        start=options.start,
        capture=options.capture,
        record=options.record,
        lines=lines.path if lines else None,
        labels=model.labels,
        force=options.force,
        tell=bar.warn,
    )
    frames_together = 1 if jobs[0].source.live else options.batch
    load_keras_quietly(options.engine, options.device)
    with bar:
        engine = open_engine(
            model,
            engine=options.engine,
            device=options.device,
            precision=options.precision,
            batch=frames_together,
            notify=None if options.quiet else bar.say,
        )
        batch = Batch(
            jobs,
            engine,
            choice,
            sinks=[sink for sink in (lines, events) if sink],
            batch=frames_together,
            max_frames=options.max_frames,
            hide=hide,
            report=bar.moved,
            ended=bar.ended,
        )

        def stop() -> None:
            batch.stop()
            for recording in recordings_of(jobs):
                recording.hurry()
            if events:
                events.log.hurry()

        started = time.monotonic()
        try:
            with stopped_by((signal.SIGINT, signal.SIGTERM), stop) as signals:
                outcomes = batch.run()
        finally:
            engine.close()
        seconds = time.monotonic() - started
    if not options.quiet and any(outcome.frames for outcome in outcomes):
        said = summary(outcomes, lines, model.labels, seconds=seconds, device=engine.device)
        to_stdout = lines is None or lines.path is not None
        print(f"Stopped: {said}" if signals else said, file=sys.stdout if to_stdout else sys.stderr)
    if signals:
        return 130
    return 1 if any(outcome.error for outcome in outcomes) else 0


def _hiding(names: Sequence[str] | None, labels: LabelMap) -> Callable[[Frame, Detections], Frame] | None:
    if not names:
        return None
    labels.class_ids(names)  # a name that is misspelt must not leave somebody recognisable
    blur = Blur(names)
    return lambda frame, found: blur.apply(frame, found, labels)


def _choice(options: DetectOptions, model: Model) -> Choice:
    def chosen(value: float | None, default: float) -> float:
        return default if value is None else value

    card = model.card
    return Choice(
        min_score=chosen(options.min_score, card.min_score),
        nms_iou=chosen(options.nms_iou, card.nms_iou),
        max_detections=int(chosen(options.max_detections, card.max_detections)),
        class_ids=None if options.classes is None else frozenset(model.labels.class_ids(options.classes)),
    )


def _events(options: DetectOptions, labels: LabelMap, choice: Choice) -> EventSink | None:
    wanted = event_options(options.zones, options.events, options.on_event)
    if wanted is None:
        return None
    regions = read_regions(wanted.zones)
    log = open_log(wanted, labels, live=False)
    return EventSink(regions, labels, log, min_score=choice.min_score)


def _lines(options: DetectOptions, labels: LabelMap) -> Lines | None:
    if options.json is None:
        return None
    path = None if str(options.json) == "-" else options.json
    if path:
        check_lines(path, force=options.force)
    return Lines(path, labels, force=options.force)
