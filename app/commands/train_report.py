"""What `train` tells people: a bar with the loss while it works, a line for each evaluation."""

import sys
import time
from collections.abc import Mapping
from typing import Any, Self

from trainer.fitting import Standing

_SECONDS_BETWEEN_LINES = 30.0  # where nobody watches a terminal


class Report:
    """Progress on stderr: a bar in a terminal, a line now and then in a log. A context."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: Any = None
        self._said = 0.0
        self._stopping = False
        if quiet or not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[words]}", markup=False))
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=1.0, words="")

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar:
            self._bar.stop()

    def stop(self) -> None:
        """Lets the training end after its step."""
        self._stopping = True
        self.say("Ending after this step; once more ends at once.")

    def wants_to_stop(self) -> bool:
        return self._stopping

    def say(self, sentence: str) -> None:
        if self._bar:
            self._bar.console.print(sentence, markup=False, highlight=False, soft_wrap=True)
        elif not self._quiet:
            print(sentence, file=sys.stderr)

    def stepped(self, standing: Standing) -> None:
        words = _words(standing)
        if self._bar:
            self._bar.update(self._task, completed=standing.progress, words=words)
        elif time.monotonic() - self._said > _SECONDS_BETWEEN_LINES:
            self._said = time.monotonic()
            self.say(f"{standing.progress:4.0%}  {words}")

    def evaluated(self, epoch: float, figures: Mapping[str, float], is_best: bool) -> None:
        best = ", the best so far" if is_best else ""
        self.say(
            f"epoch {epoch:.1f}: validation mAP {figures['voc_area_map']:.4f} (area), "
            f"{figures['voc07_map']:.4f} (VOC 2007){best}"
        )


def _words(standing: Standing) -> str:
    words = [
        f"epoch {standing.epoch:.1f}",
        f"loss {standing.loss:.3f}",
        f"rate {standing.rate:.2g}",
        f"{standing.pictures_per_s:.1f} pictures/s",
    ]
    if standing.best is not None:
        words.append(f"best mAP {standing.best:.3f}")
    if standing.seconds_left is not None:
        minutes, seconds = divmod(round(standing.seconds_left), 60)
        words.append(f"{minutes}:{seconds:02d} left")
    return ", ".join(words)
