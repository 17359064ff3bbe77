"""The act of `record`: sources in, recordings out, until somebody ends it."""

import functools
import itertools
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from app.blur import Blur
from app.commands.event_options import EventOptions, open_log
from app.commands.record_options import RecordOptions
from app.commands.stopping import end_at_once, stopped_by
from app.events import read_regions
from app.events.live_events import LiveEvents
from app.keeping import new_path, stems_of
from app.metrics import MetricsServer
from app.pipeline import BATCH, Choice, DetectorState, LivePipeline, SharedEngine
from app.recording.disk import DiskLimits, duration_words
from app.recording.part_file import make_folder
from app.recording.recovery import left_overs, recover
from app.recording.sidecar import Finder, finder_of
from app.saying import Once
from app.sources import State, open_source
from detector.engines import open_engine
from detector.errors import RecordingError
from detector.model_store import Model, default_model, find_model
from detector.values import LabelMap

logger = logging.getLogger(__name__)

_LOOK_EVERY = 0.5  # seconds
_END_WITHIN = 3.0


def record(options: RecordOptions) -> int:
    """Records all sources at once and says what has become of each clip.

    returns  the exit code
    raises   StudioError when nothing can be begun
    """
    pipelines: list[LivePipeline] = []
    with _metrics(options.metrics, pipelines):  # first: nothing is begun when its port cannot be had
        return _record(options, pipelines)


def _record(options: RecordOptions, pipelines: list[LivePipeline]) -> int:
    """pipelines: gets those of all sources"""
    make_folder(options.folder)
    model = None
    if options.needs_model:
        model = find_model(options.model) if options.model else default_model()
    ended = threading.Event()
    with stopped_by((signal.SIGINT, signal.SIGTERM), ended.set) as signals:
        threading.Thread(
            target=_finish_left_overs, args=[options.folder, options.plan.limits], daemon=True
        ).start()
        labels = model.labels if model else LabelMap(())
        events = _Events(options.events, labels) if options.events else None
        engine, begun = _begin(options, model, events, wanted=lambda: not ended.is_set())
        pipelines += begun
        only_events = options.plan.cutting.on_events
        watches = [_Watch(each, quiet=options.quiet, only_events=only_events) for each in pipelines]
        if not options.quiet:
            print(f"Recording {_counted(watches)} into {options.folder}; Ctrl-C ends it.", file=sys.stderr)
            if age := options.plan.quota.age:
                deleted = f"Recordings there older than {duration_words(age)} are deleted"
                print(f"{deleted}, starred ones never; --keep ever keeps all.", file=sys.stderr)
        deadline = time.monotonic() + options.lasting if options.lasting else None
        while not ended.wait(_LOOK_EVERY):
            going_on = [watch.look() for watch in watches]
            if not any(going_on) or (deadline and time.monotonic() >= deadline):
                break
        ended.set()  # a model that is still being made ready is wanted no more
        all_ended = _close(engine, pipelines)
        if events:
            events.close()
        for watch in watches:
            watch.tell_end()
    if signals:
        code = 130 if signals[0] == signal.SIGINT else 0
    else:
        code = 1 if any(watch.failed for watch in watches) else 0
    if not all_ended:
        end_at_once(code)
    return code


def _begin(
    options: RecordOptions, model: Model | None, events: "_Events | None", *, wanted: Callable[[], bool]
) -> tuple[SharedEngine, list[LivePipeline]]:
    labels = model.labels if model else LabelMap(())
    labels.class_ids(options.blur)  # a name that is misspelt must not leave somebody recognisable
    finder = finder_of(model.card) if model else Finder(labels=labels)
    card_score = model.card.min_score if model else 0.5
    choice = Choice(
        min_score=card_score if options.min_score is None else options.min_score,
        nms_iou=finder.nms_iou,
        class_ids=None if options.classes is None else frozenset(labels.class_ids(options.classes)),
    )
    engine = SharedEngine(
        functools.partial(
            open_engine,
            model,
            engine=options.engine,
            device=options.device,
            precision=options.precision,
            batch=min(len(options.sources), BATCH),
            wanted=wanted,
        )
        if model
        else None
    )
    sources = [open_source(address, capture=options.capture) for address in options.sources]
    pipelines = []
    for source, stem in zip(sources, stems_of(source.name for source in sources)):
        blur = Blur(options.blur) if options.blur else None
        pipeline = LivePipeline(source, engine=engine, choice=choice, finder=finder, blur=blur)
        pipeline.start_recording_as(_names(stem, options.folder), options.folder, plan=options.plan)
        pipelines.append(pipeline)
        if events:
            events.watch(pipeline)
    for pipeline in pipelines:  # once it is certain that all can be recorded
        pipeline.start()
    return engine, pipelines


def _metrics(port: int | None, pipelines: list[LivePipeline]) -> AbstractContextManager[object]:
    if port is None:
        return nullcontext()
    return MetricsServer(port, lambda: [(pipeline.source.name, pipeline.latest()) for pipeline in pipelines])


def _names(stem: str, folder: Path) -> Iterator[Path]:
    return (new_path(stem, ".mp4", folder=str(folder)) for _ in itertools.count())


def _close(engine: SharedEngine, pipelines: list[LivePipeline]) -> bool:
    """Whether all of them have ended."""
    all_ended = True
    deadline = time.monotonic() + _END_WITHIN
    for pipeline in pipelines:
        pipeline.close(timeout=0.0)  # all are told before any is waited for
    for pipeline in pipelines:
        if not pipeline.close(max(0.0, deadline - time.monotonic())):
            logger.warning("%s did not end in time; its part file plays", pipeline.source.name)
            all_ended = False
    if not engine.close(max(0.0, deadline - time.monotonic())):
        logger.warning("The detector did not end in time and is left behind")
        all_ended = False
    return all_ended


def _finish_left_overs(folder: Path, limits: DiskLimits) -> None:
    for part in left_overs(folder):
        try:
            result = recover(part, limits)
            logger.warning("%s was interrupted; its %d frames are %s", part, result.frames, result.path.name)
        except RecordingError as error:
            logger.warning("%s", error)


class _Events:
    """The same zones and lines in all sources, and one place for what happens there."""

    def __init__(self, options: EventOptions, labels: LabelMap) -> None:
        self._regions, self._labels = read_regions(options.zones), labels
        self._log = open_log(options, labels, live=True)
        self._live: list[LiveEvents] = []

    def watch(self, pipeline: LivePipeline) -> None:
        live = LiveEvents(lambda event, picture: None, happened=pipeline.trigger_recording)
        live.follow(self._regions, self._labels)
        live.keep(self._log)
        pipeline.listen(live.offer)
        self._live.append(live)

    def close(self) -> None:
        for live in self._live:
            live.close()
        self._log.close(0.5)


class _Watch:
    """Says what becomes of one source: finished clips on stdout, changes and troubles on stderr."""

    def __init__(self, pipeline: LivePipeline, *, quiet: bool, only_events: bool) -> None:
        self._pipeline, self._quiet, self._only_events = pipeline, quiet, only_events
        self._once = Once()
        self._told = 0  # clips
        self.failed = False

    def look(self) -> bool:
        """Whether it goes on."""
        view = self._pipeline.latest()
        status, recording = view.status, view.recording
        assert recording is not None
        if status.is_final and status.state is not State.ENDED:
            self._fail(status.sentence)
        elif status.state is not State.CONNECTING:
            self._say("source", status.sentence, note=status.state in (State.LIVE, State.ENDED))
        blind = view.detector.state is DetectorState.FAILED
        if blind:
            self._fail(view.detector.sentence)
        if status.is_final or (blind and self._only_events):  # a service that sees nothing is begun anew
            self._pipeline.stop_recording()
        self.tell_recording()
        return recording.running

    def tell_recording(self) -> None:
        recording = self._pipeline.latest().recording
        assert recording is not None
        for result in recording.files[self._told :]:
            self._told += 1
            if not self._quiet:
                print(f"{result.path}  {result.seconds:.1f} s  {result.frames} frames", flush=True)
        self._say("warning", recording.warning)
        if recording.failure:
            self._fail(recording.failure)

    def tell_end(self) -> None:
        """After the last look."""
        self.tell_recording()
        view = self._pipeline.latest()
        recording = view.recording
        assert recording is not None
        if recording.running or recording.frames or recording.failure or self._only_events:
            return
        if view.frame is not None:
            self._fail(f"Pictures of {self._pipeline.source.name} came, but none of them could be recorded.")

    def _fail(self, sentence: str) -> None:
        self.failed = True
        self._say(sentence, f"error: {sentence}")

    def _say(self, subject: str, sentence: str, *, note: bool = False) -> None:
        """Once, until there is something else."""
        if self._once.is_new(subject, sentence) and not (note and self._quiet):
            print(sentence, file=sys.stderr, flush=True)


def _counted(watches: list[_Watch]) -> str:
    return "1 source" if len(watches) == 1 else f"{len(watches)} sources"
