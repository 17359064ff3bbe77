"""One engine for several sources: frames that wait are looked at together, and nobody waits for anybody."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.pipeline import Choice, DetectorState, LivePipeline, SharedEngine
from app.sources import State, open_source, reconnecting
from detector.errors import EngineError
from detector.values import Detections, Frame
from tests.app.videos import eventually, write_video
from tests.app.watching import Permits, SquareFinder, Watching


class CountingFinder(SquareFinder):
    """Remembers which sources were looked at together."""

    def __init__(self, gate: threading.Event | Permits | None = None) -> None:
        super().__init__(gate)
        self.batches: list[list[str]] = []

    def detect(self, frames: Sequence[Frame], **options: Any) -> list[Detections]:
        self.batches.append([frame.source for frame in frames])
        return super().detect(frames, **options)


class FailingFinder(SquareFinder):
    """Answers once and never again."""

    def detect(self, frames: Sequence[Frame], **options: Any) -> list[Detections]:
        if self.asked:
            raise EngineError("The graphics card is gone.")
        return super().detect(frames, **options)


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    """Three videos of two seconds."""
    paths = [tmp_path / f"{name}.mp4" for name in "abc"]
    for path in paths:
        write_video(path, 50)
    return paths


@contextmanager
def sharing(engine: SharedEngine) -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack
    assert engine.close()


def test_what_waits_is_looked_at_in_one_call(clips: list[Path]):
    permits = Permits()
    finder = CountingFinder(permits)
    engine = SharedEngine(lambda: finder)
    with sharing(engine) as stack:
        watched = [stack.enter_context(Watching(open_source(str(clip)), engine=engine)) for clip in clips]
        for watching in watched:
            watching.until(lambda view: view.frame and view.frame.sequence > 5)
        permits.release()  # the first call, about whoever came first
        assert eventually(lambda: len(finder.batches) == 2)
        permits.release(10_000)
        for watching, clip in zip(watched, clips):
            view = watching.until(lambda view: view.own_boxes)
            assert view.frame and view.frame.source == clip.name
    assert sorted(finder.batches[1]) == ["a.mp4", "b.mp4", "c.mp4"]
    assert finder.closed


def test_sources_that_want_other_overlaps_are_asked_apart(clips: list[Path]):
    permits = Permits()
    finder = CountingFinder(permits)
    engine = SharedEngine(lambda: finder)
    with sharing(engine) as stack:
        watched = []
        for clip, nms_iou in zip(clips, (0.3, 0.9, 0.3)):
            options = {"engine": engine, "choice": Choice(nms_iou=nms_iou)}
            watched.append(stack.enter_context(Watching(open_source(str(clip)), **options)))
        for watching in watched:
            watching.until(lambda view: view.status.state is State.ENDED)
        permits.release(10_000)  # now no newer frame makes up for one that is forgotten
        for watching, count in zip(watched, (1, 2, 1)):
            assert len(watching.until(lambda view: view.own_boxes).detections) == count
    assert not any("b.mp4" in batch and len(batch) > 1 for batch in finder.batches)


def test_a_source_that_ends_leaves_the_others_untouched(clips: list[Path]):
    finder = CountingFinder()
    engine = SharedEngine(lambda: finder)
    with sharing(engine) as stack:
        staying = stack.enter_context(Watching(open_source(str(clips[0])), engine=engine))
        with Watching(open_source(str(clips[1])), engine=engine) as going:
            going.until(lambda view: len(view.detections))
        staying.until(lambda view: view.status.state is State.ENDED and view.own_boxes)
        assert staying.pipeline.latest().detector.state is DetectorState.RUNNING
        assert not finder.closed


def test_another_model_is_for_all_sources_at_once(clips: list[Path]):
    first, second = CountingFinder(), CountingFinder()
    second.device = "another"
    engine = SharedEngine(lambda: first)
    with sharing(engine) as stack:
        watched = [stack.enter_context(Watching(open_source(str(clip)), engine=engine)) for clip in clips]
        for watching in watched:
            watching.until(lambda view: len(view.detections))
        engine.use(lambda: second)
        for watching in watched:
            assert watching.until(lambda view: view.own_boxes).detector.device == "another"
    assert first.closed and second.closed


def test_a_source_opened_before_the_model_is_chosen_gets_boxes_once_it_is(clips: list[Path]):
    engine = SharedEngine()
    with sharing(engine) as stack:
        watching = stack.enter_context(Watching(open_source(str(clips[0])), engine=engine))
        assert watching.until(lambda view: view.frame).detector.state is DetectorState.OFF
        engine.use(CountingFinder)
        watching.until(lambda view: len(view.detections))


def test_an_engine_that_has_answered_is_opened_again_when_it_fails(
    clips: list[Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    permits = Permits()
    engines = [FailingFinder(), SquareFinder(permits)]
    opened = iter(engines)
    monkeypatch.setattr(reconnecting, "WAITS", (0.5, 0.5))
    with sharing(engine := SharedEngine(lambda: next(opened))) as stack:
        watching = stack.enter_context(Watching(open_source(str(clips[0])), engine=engine))
        view = watching.until(lambda view: view.detector.sentence.endswith("it is tried again"))
        assert view.detector.state is DetectorState.LOADING and not len(view.detections)
        permits.release(10_000)
        watching.until(lambda view: view.own_boxes)
    assert "Detection has stopped: The graphics card is gone; it is tried again" in caplog.messages
    assert all(engine.closed for engine in engines)


def test_an_engine_that_cannot_be_brought_back_has_failed_and_is_tried_on(
    clips: list[Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(reconnecting, "WAITS", (0.01, 0.01))
    mended = threading.Event()
    with sharing(
        engine := SharedEngine(lambda: SquareFinder() if mended.is_set() else FailingFinder())
    ) as stack:
        watching = stack.enter_context(Watching(open_source(str(clips[0])), engine=engine))
        view = watching.until(lambda view: view.detector.state is DetectorState.FAILED)
        assert view.detector.sentence == "Detection has stopped: The graphics card is gone."
        assert len(caplog.records) == 1  # it is not told at each attempt
        mended.set()
        watching.until(lambda view: view.own_boxes and view.detector.state is DetectorState.RUNNING)


def test_an_engine_that_never_started_closes_at_once():
    assert SharedEngine(CountingFinder).close(0.0)
    assert LivePipeline(open_source("0"), engine=SharedEngine()).close(0.0)
