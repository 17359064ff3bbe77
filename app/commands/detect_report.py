"""What `detect` tells people: a bar while it works, sentences about what became of it."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from app.pipeline.batch import Outcome, Progress
from app.pipeline.recorder.annotated_video import AnnotatedVideo
from app.recording.lines import Lines
from app.recording.sinks import AnnotatedPicture
from app.saying import Once
from detector.values import LabelMap


class Bar:
    """Progress with speed and time left on stderr, where a person watches a terminal; and sentences.

    A context: the bar is gone afterwards. `moved`, `ended` and `warn` may be called from any thread.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._progress: Any = None
        self._quiet, self._once = quiet, Once()
        self._began = 0.0
        if quiet or not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=14),  # all of it fits 80 columns
            TaskProgressColumn(),
            TextColumn("{task.fields[so_far]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task("starting", total=None, so_far="")

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()

    def moved(self, progress: Progress) -> None:
        if self._progress is None:
            return
        self._began = self._began or time.monotonic()  # with the first frame: the model has loaded by then
        elapsed = time.monotonic() - self._began
        self._progress.update(
            self._task,
            description=_short(progress.name),
            total=None if progress.done is None else 1.0,
            completed=progress.done or 0.0,
            so_far=f"{_counted(progress.frames)}, {progress.frames / elapsed:.0f} frames/s"
            if elapsed
            else "",
        )

    def ended(self, outcome: Outcome) -> None:
        """Says what a person must know about a source."""
        if outcome.error:
            self.say(f"error: {outcome.error}")
        elif outcome.ending and outcome.ending != f"End of {outcome.job.source.name}":
            self.say(f"note: {outcome.ending}")

    def warn(self, warning: str) -> None:
        """Says once what a person should know of a recording that goes on; "": nothing."""
        if self._once.is_new("recording", warning) and not self._quiet:
            self.say(f"note: {warning}.")

    def say(self, sentence: str) -> None:
        if self._progress:
            self._progress.console.print(sentence, markup=False, highlight=False, soft_wrap=True)
        else:
            print(sentence, file=sys.stderr)


def summary(
    outcomes: Sequence[Outcome], lines: Lines | None, labels: LabelMap, *, seconds: float, device: str
) -> str:
    """What was done, found and written: two sentences."""
    frames = sum(outcome.frames for outcome in outcomes)
    sources = f" of {len(outcomes)} sources" if len(outcomes) > 1 else ""
    dropped = sum(outcome.dropped for outcome in outcomes)
    left_out = f", {dropped} left out" if dropped else ""
    speed = f" ({frames / seconds:.1f} frames/s)" if seconds > 0 else ""
    done = f"{_counted(frames)}{sources}{left_out} in {seconds:.1f} s{speed} on {device}"
    return f"{done}; found {_found(outcomes, labels)}. {_written(outcomes, lines)}."


def _short(name: str) -> str:
    return name if len(name) <= 20 else f"{name[:9]}…{name[-10:]}"


def _counted(count: int, what: str = "frame") -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _found(outcomes: Sequence[Outcome], labels: LabelMap) -> str:
    objects: Counter[int] = sum((outcome.objects for outcome in outcomes), Counter())
    return ", ".join(f"{labels[class_id]} {count}" for class_id, count in objects.most_common()) or "nothing"


def _written(outcomes: Sequence[Outcome], lines: Lines | None) -> str:
    files = []
    for outcome in outcomes:
        for sink in outcome.job.sinks:
            if isinstance(sink, AnnotatedVideo):
                files += [
                    f"{result.path} ({_counted(result.frames)}, {result.seconds:.1f} s)"
                    for result in sink.results
                ]
            elif isinstance(sink, AnnotatedPicture) and outcome.frames:
                files.append(str(sink.path))
    if len(files) > 4:
        files = [f"{len(files)} files, the last {files[-1]}"]
    if lines and lines.path and lines.count:
        files.append(f"{lines.path} ({_counted(lines.count, 'line')})")
    return f"Wrote {', '.join(files)}" if files else "Wrote no file"
