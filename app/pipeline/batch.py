"""Files through the detector: reading, detecting and writing overlap; every frame once, in order.

    reader thread --belt--> the caller's thread: batches, engine --belt--> writer thread

Both belts are bounded, so the slowest stage sets the pace and memory stays flat. Sources follow each other on
the same belts: while the recording of one is finished, the next is decoded.
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from app.pipeline.belt import Abandoned, Belt
from app.pipeline.choice import Choice
from app.sources import Source, State, attempt
from detector.engines import Engine
from detector.errors import SourceError, StudioError
from detector.nms import CANDIDATES
from detector.values import Detections, Frame

_JUST = 0.001  # seconds: times are rounded on their way
_BELT_BYTES = 128 * 2**20  # of pixels on each belt: 46 frames of 720p


class Sink(Protocol):
    """Where frames and what they hold go. Opened by the first frame; used by one thread."""

    def write(self, frame: Frame, found: Detections) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One source and where its frames go.

    name   what its frames are called
    start  seconds into it where the source was told to begin
    sinks  closed when it ends, however that comes about
    """

    name: str
    source: Source
    start: float = 0.0
    sinks: Sequence[Sink] = ()


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of a job.

    objects  how many of each class id were found, over all frames
    dropped  frames of a live source that came too fast
    ending   what the source said at its end
    error    why it failed; what came before that is written
    """

    job: Job
    frames: int = 0
    objects: Counter[int] = field(default_factory=Counter)
    dropped: int = 0
    ending: str = ""
    error: SourceError | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is.

    done    share of all jobs, 0..1; None for live sources
    name    of the job
    frames  written so far, of all jobs
    """

    done: float | None
    name: str
    frames: int


@dataclass(frozen=True, slots=True)
class _Begin:
    job: Job


@dataclass(frozen=True, slots=True)
class _End:
    dropped: int
    ending: str
    error: SourceError | None


class Batch:
    """Runs jobs one after the other.

    sinks       get the frames of all jobs; closed at the end
    batch       frames handed to the engine together
    max_frames  of each job; None: all
    hide        makes of a frame and all that was found on it what may be seen of it; None: all of it
    report      called after each frame, in another thread
    ended       called when a job has ended, likewise
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        engine: Engine,
        choice: Choice,
        *,
        sinks: Sequence[Sink] = (),
        batch: int = 1,
        max_frames: int | None = None,
        hide: Callable[[Frame, Detections], Frame] | None = None,
        report: Callable[[Progress], None] = lambda progress: None,
        ended: Callable[[Outcome], None] = lambda outcome: None,
    ) -> None:
        self._jobs, self._engine, self._choice, self._sinks = jobs, engine, choice, sinks
        self._batch, self._max_frames = batch, max_frames
        self._hide, self._report, self._ended = hide, report, ended
        room = 2 * batch + 2
        self._frames: Belt[Frame | _Begin | _End] = Belt(items=room, size=_BELT_BYTES)
        self._found: Belt[tuple[Frame, Detections] | _Begin | _End] = Belt(items=room, size=_BELT_BYTES)
        self._reading: Source | None = None
        self._outcomes: list[Outcome] = []
        self._open: Sequence[Sink] = ()  # those of the job that is written now
        self._written = 0
        self._stopped = False
        self._error: BaseException | None = None

    def run(self) -> list[Outcome]:
        """All jobs to their end, or up to where `stop` came; a source that fails does not stop the others.

        raises  what the engine and the sinks raise; all sinks are closed by then
        """
        stages = [threading.Thread(target=stage, daemon=True) for stage in (self._read, self._write)]
        for stage in stages:
            stage.start()
        try:
            with contextlib.suppress(Abandoned):
                self._detect()
        finally:
            self._frames.abandon()
            self._stop_reading()
            self._found.close()
            for stage in stages:
                stage.join()
        if self._error:
            raise self._error
        return self._outcomes

    def stop(self) -> None:
        """Ends it soon, with everything in order. May be called from a signal handler."""
        self._stopped = True
        self._stop_reading()

    def _stop_reading(self) -> None:
        if self._reading:
            self._reading.stop()

    def _read(self) -> None:
        try:
            for job in self._jobs:
                self._reading = job.source
                if self._stopped:  # looked at after `stop` can reach the source
                    break
                self._frames.put(_Begin(job))
                self._frames.put(self._read_job(job))
        except Abandoned:
            pass
        except BaseException as error:  # noqa: BLE001  the top of a thread
            self._fail(error)
        finally:
            self._frames.close()

    def _read_job(self, job: Job) -> _End:
        source, taken, dropped, ending = job.source, 0, 0, ""
        try:
            for item in attempt(source):
                if isinstance(item, Frame):
                    if not taken and item.pts < job.start - _JUST:  # beyond the end there is the last picture
                        raise SourceError(f"{job.name} ends before {job.start:g} s; begin earlier.")
                    frame = replace(item, source=job.name)
                    if source.live:
                        dropped += self._frames.put_newest(frame, frame.pixels.nbytes)
                    else:
                        self._frames.put(frame, frame.pixels.nbytes)
                    taken += 1
                    if taken - dropped == self._max_frames:
                        break
                elif item.state is State.ENDED:
                    ending = item.sentence
        except SourceError as error:
            return _End(dropped, "", error)
        return _End(dropped, ending, None)

    def _detect(self) -> None:
        take = self._frames.take_now if self._jobs[0].source.live else self._frames.take
        while (items := take(self._batch)) and not self._stopped:
            frames = [item for item in items if isinstance(item, Frame)]
            found = iter(self._detections(frames) if frames else [])
            for item in items:
                if isinstance(item, Frame):
                    every = next(found)
                    seen = self._hide(item, every) if self._hide else item
                    self._found.put((seen, self._choice.of(every)), item.pixels.nbytes)
                else:
                    self._found.put(item)

    def _detections(self, frames: Sequence[Frame]) -> list[Detections]:
        """At least what is chosen; all there is, where some of it is to be hidden."""
        choice, all_scores = self._choice, self._hide is not None
        lowest = choice.floor if all_scores else choice.min_score
        return self._engine.detect(
            frames,
            nms_iou=choice.nms_iou,
            max_detections=CANDIDATES
            if all_scores or choice.class_ids is not None
            else choice.max_detections,
            # just below the lowest score wanted, as the floor itself is left out: few candidates, same result
            floor=float(np.nextafter(np.float32(lowest), np.float32(-1))),
        )

    def _write(self) -> None:
        try:
            while items := self._found.take_now(1):
                for item in items:
                    if isinstance(item, _Begin):
                        self._outcomes.append(Outcome(job=item.job))
                        self._open = item.job.sinks
                    elif isinstance(item, _End):
                        self._finish(item)
                    else:
                        self._write_frame(*item)
        except BaseException as error:  # noqa: BLE001  the top of a thread
            self._fail(error)
        finally:
            self._close(self._open)
            self._close(self._sinks)

    def _write_frame(self, frame: Frame, found: Detections) -> None:
        outcome = self._outcomes[-1]
        for sink in (*self._open, *self._sinks):
            sink.write(frame, found)
        outcome.frames += 1
        outcome.objects.update(found.class_ids.tolist())
        self._written += 1
        self._report(Progress(self._share(frame, outcome), outcome.job.name, self._written))

    def _share(self, frame: Frame, outcome: Outcome) -> float | None:
        """How much of all jobs is done: of this one by time, since declared frame counts are often wrong."""
        source = outcome.job.source
        if source.live:
            return None
        shares = [0.0]
        if source.duration:
            shares.append(frame.pts / source.duration)
        if self._max_frames:
            shares.append(outcome.frames / self._max_frames)
        return min(1.0, (len(self._outcomes) - 1 + max(shares)) / len(self._jobs))

    def _finish(self, end: _End) -> None:
        outcome = self._outcomes[-1]
        outcome.dropped, outcome.ending, outcome.error = end.dropped, end.ending, end.error
        closing, self._open = self._open, ()
        self._close(closing)
        self._ended(outcome)

    def _close(self, sinks: Sequence[Sink]) -> None:
        """Each is tried; the first failure counts."""
        for sink in sinks:
            try:
                sink.close()
            except StudioError as error:
                self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """Stops everything; `run` raises the first error."""
        self._error = self._error or error
        self._stop_reading()
        self._frames.abandon()
        self._found.abandon()
