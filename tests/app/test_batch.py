"""The file way: every frame once, in order, through stages that overlap, whatever breaks."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import pytest

from app.outputs import jobs_for
from app.pipeline import Choice
from app.pipeline.batch import Batch, Job, Outcome, Progress
from app.sources import Source, State, Status, open_source
from detector.errors import EngineError, RecordingError
from detector.values import Detections, Frame
from tests.app.videos import eventually, numbered_picture, read_number, write_video
from tests.app.watching import LABELS, SquareFinder


class Kept:
    """A sink that remembers: (name, sequence, number in the picture, x of its best box)."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int, int, int]] = []
        self.closed = 0

    def write(self, frame: Frame, found: Detections) -> None:
        self.seen.append((frame.source, frame.sequence, read_number(frame.pixels), round(found.boxes[0, 0])))

    def close(self) -> None:
        self.closed += 1


class FullDisk(Kept):
    """A sink that fails at its fourth frame."""

    def write(self, frame: Frame, found: Detections) -> None:
        super().write(frame, found)
        if len(self.seen) == 4:
            raise RecordingError("the disk is full")


class Endless(Source):
    """A camera that makes frames as fast as they are taken."""

    live = True

    def __init__(self) -> None:
        super().__init__("endless")
        self.made = 0

    def _items(self) -> Iterator[Frame | Status]:
        yield self._status(State.LIVE, "live")
        while not self._stopped.is_set():
            self.made += 1
            yield self._frame(numbered_picture(self._sequence % 4096), self._sequence / 25)


def video(folder: Path, count: int = 60, name: str = "clip.mp4") -> Source:
    write_video(folder / name, count, b_frames=2)
    return open_source(str(folder / name))


def picture(folder: Path, number: int) -> Source:
    path = folder / f"{number}.png"
    cv2.imwrite(str(path), numbered_picture(number))
    return open_source(str(path))


def run(jobs: Sequence[Job], **options: Any) -> list[Outcome]:
    engine = options.pop("engine", None) or SquareFinder()
    return Batch(jobs, engine, options.pop("choice", Choice()), **options).run()


def left_of_square(number: int) -> int:
    """As `numbered_picture` draws it; lossy coding may move its edge by a pixel."""
    return 4 * number % (192 - 16)


@pytest.mark.parametrize("batch", [1, 4, 7, 64])
def test_every_frame_arrives_once_in_order_with_its_own_detections(tmp_path: Path, batch: int) -> None:
    kept = Kept()
    (outcome,) = run([Job(name="clip", source=video(tmp_path), sinks=[kept])], batch=batch)
    assert [(name, sequence, number) for name, sequence, number, _ in kept.seen] == [
        ("clip", number, number) for number in range(60)
    ]
    assert all(abs(left - left_of_square(number)) <= 1 for _, _, number, left in kept.seen)
    assert (outcome.frames, outcome.error, kept.closed) == (60, None, 1)
    assert outcome.objects == Counter({0: 60})


def test_many_sources_share_the_batches_and_keep_their_order(tmp_path: Path) -> None:
    calls: list[int] = []

    class Counting(SquareFinder):
        def detect(self, frames: Sequence[Frame], **options: Any) -> list[Detections]:
            calls.append(len(frames))
            return super().detect(frames, **options)

    everything = Kept()
    jobs = [Job(name=f"picture {number}", source=picture(tmp_path, number)) for number in range(20)]
    outcomes = run(jobs, engine=Counting(), batch=8, sinks=[everything])
    assert [(name, number) for name, _, number, _ in everything.seen] == [
        (f"picture {number}", number) for number in range(20)
    ]
    assert [outcome.job.name for outcome in outcomes] == [job.name for job in jobs]
    assert calls == [8, 8, 4], "pictures of different files go through the network together"
    assert everything.closed == 1


def test_a_broken_source_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_text("not a video")
    kept = [Kept(), Kept(), Kept()]
    sources = [
        video(tmp_path, 5, "a.mp4"),
        open_source(str(tmp_path / "broken.mp4")),
        video(tmp_path, 7, "b.mp4"),
    ]
    told: list[Outcome] = []
    jobs = [Job(name=source.name, source=source, sinks=[sink]) for source, sink in zip(sources, kept)]
    outcomes = run(jobs, ended=told.append)
    assert [outcome.frames for outcome in outcomes] == [5, 0, 7]
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]
    assert "broken.mp4: is not a video" in str(outcomes[1].error)
    assert told == outcomes
    assert [sink.closed for sink in kept] == [1, 1, 1]


def test_a_start_beyond_the_end_is_told_and_nothing_is_taken_for_it(tmp_path: Path) -> None:
    """60 frames at 25 a second; a picture has no time, so any start is right for it."""
    for count, name in ((60, "short.mp4"), (90, "long.mp4")):
        write_video(tmp_path / name, count)
    cv2.imwrite(str(tmp_path / "picture.png"), numbered_picture(7))
    kept = Kept()
    jobs = jobs_for([str(tmp_path)], start=2.5, record=None, labels=LABELS, force=False)
    outcomes = {outcome.job.name: outcome for outcome in run(jobs, sinks=[kept])}
    assert str(outcomes["short.mp4"].error) == "short.mp4 ends before 2.5 s; begin earlier."
    assert kept.seen[0][2] == 63, "2.52 s: the first at 2.5 s or later"
    assert [outcomes[name].frames for name in ("short.mp4", "long.mp4", "picture.png")] == [0, 27, 1]


def test_a_sink_that_fails_stops_everything_and_every_sink_is_closed(tmp_path: Path) -> None:
    full, lines, never = FullDisk(), Kept(), Kept()
    jobs = [
        Job(name="one", source=video(tmp_path), sinks=[full]),
        Job(name="two", source=video(tmp_path, name="two.mp4"), sinks=[never]),
    ]
    with pytest.raises(RecordingError, match="the disk is full"):
        run(jobs, sinks=[lines])
    assert (full.closed, lines.closed, len(lines.seen), never.seen) == (1, 1, 3, [])


def test_an_engine_that_fails_is_told_and_what_it_found_before_is_written(tmp_path: Path) -> None:
    class Failing(SquareFinder):
        def detect(self, frames: Sequence[Frame], **options: Any) -> list[Detections]:
            if frames[0].sequence >= 10:
                raise EngineError("out of memory")
            return super().detect(frames, **options)

    kept = Kept()
    with pytest.raises(EngineError, match="out of memory"):
        run([Job(name="clip", source=video(tmp_path), sinks=[kept])], engine=Failing(), batch=5)
    assert [number for _, _, number, _ in kept.seen] == list(range(10))
    assert kept.closed == 1


def test_stopping_ends_it_soon_with_everything_closed(tmp_path: Path) -> None:
    class Stopping(Kept):
        def write(self, frame: Frame, found: Detections) -> None:
            super().write(frame, found)
            if len(self.seen) == 10:
                batch.stop()

    kept = Stopping()
    jobs = [Job(name=name, source=video(tmp_path, 200, name), sinks=[kept]) for name in ("a.mp4", "b.mp4")]
    batch = Batch(jobs, SquareFinder(), Choice(), batch=2)
    (outcome,) = batch.run()
    assert 10 <= outcome.frames == len(kept.seen) < 60
    assert kept.closed == 1


def test_a_live_source_drops_what_comes_too_fast_and_counts_it() -> None:
    gate, camera, kept = threading.Event(), Endless(), Kept()
    batch = Batch(
        [Job(name="camera", source=camera, sinks=[kept])], SquareFinder(gate), Choice(), max_frames=20
    )
    outcomes: list[Outcome] = []
    runner = threading.Thread(target=lambda: outcomes.extend(batch.run()))
    runner.start()
    assert eventually(lambda: camera.made > 200), "reading goes on while the detector is busy"
    gate.set()
    runner.join(20)
    (outcome,) = outcomes
    assert outcome.dropped >= 150
    assert outcome.frames == 20
    sequences = [sequence for _, sequence, _, _ in kept.seen]
    assert sequences == sorted(set(sequences))
    assert all(sequence % 4096 == number for _, sequence, number, _ in kept.seen)


def test_a_file_is_not_read_further_ahead_than_the_belts_hold(tmp_path: Path) -> None:
    gate, source, kept = threading.Event(), video(tmp_path, 100), Kept()
    read: list[int] = []

    class Watched(Source):
        def _items(self) -> Iterator[Frame | Status]:
            for item in source:
                read.extend([item.sequence] if isinstance(item, Frame) else [])
                yield item

    batch = Batch(
        [Job(name="clip", source=Watched("clip"), sinks=[kept])], SquareFinder(gate), Choice(), batch=4
    )
    runner = threading.Thread(target=batch.run)
    runner.start()
    assert eventually(lambda: len(read) >= 10)
    assert not eventually(lambda: len(read) > 4 + 2 * 4 + 2 + 1, 0.3)
    gate.set()
    runner.join(20)
    assert len(kept.seen) == 100


def test_no_more_frames_than_asked_for_of_each_source(tmp_path: Path) -> None:
    kept = Kept()
    jobs = [Job(name=name, source=video(tmp_path, 30, name), sinks=[kept]) for name in ("a.mp4", "b.mp4")]
    assert [outcome.frames for outcome in run(jobs, batch=4, max_frames=6)] == [6, 6]
    assert [number for _, _, number, _ in kept.seen] == [*range(6), *range(6)]


def test_only_what_was_chosen_is_found(tmp_path: Path) -> None:
    """The engine sees a square at 0.9, its double at 0.6 and a number at 0.3."""

    def objects(choice: Choice) -> Counter[int]:
        return run([Job(name="p", source=picture(tmp_path, 5))], choice=choice)[0].objects

    assert objects(Choice(min_score=0.5)) == Counter({0: 1})
    assert objects(Choice(min_score=0.2)) == Counter({0: 1, 1: 1})
    assert objects(Choice(min_score=0.2, nms_iou=0.95)) == Counter({0: 2, 1: 1})
    assert objects(Choice(min_score=0.2, nms_iou=0.95, max_detections=1)) == Counter({0: 1})
    assert objects(Choice(min_score=0.2, max_detections=1, class_ids=frozenset({1}))) == Counter({1: 1})


def test_progress_rises_to_the_whole_over_all_sources(tmp_path: Path) -> None:
    told: list[Progress] = []
    jobs = [Job(name=name, source=video(tmp_path, 20, name)) for name in ("a.mp4", "b.mp4")]
    run(jobs, report=told.append)
    shares = [progress.done for progress in told]
    assert all(earlier <= later for earlier, later in pairwise(shares))
    assert shares[0] < 0.1
    assert 0.4 < shares[19] <= 0.5 <= shares[20]
    assert 0.9 < shares[-1] <= 1
    assert [progress.frames for progress in told] == list(range(1, 41))
    assert told[-1].name == "b.mp4"


def test_what_is_hidden_is_judged_by_everything_that_was_found_and_nobody_gets_the_frame_itself(tmp_path):
    """Also by what scores too little to be shown, and by classes that are not."""
    write_video(tmp_path / "clip.mp4", 5)

    def hide(frame: Frame, found: Detections) -> Frame:
        assert sorted(found.class_ids.tolist()) == [0, 0, 1]
        return Frame(numbered_picture(100 + frame.sequence), frame.sequence, frame.pts)

    choice = Choice(min_score=0.8, class_ids=frozenset({0}), nms_iou=0.99)
    kept, source = Kept(), open_source(str(tmp_path / "clip.mp4"))
    Batch([Job(name="clip", source=source)], SquareFinder(), choice, sinks=[kept], hide=hide).run()
    assert [number for _, _, number, _ in kept.seen] == [100, 101, 102, 103, 104]
