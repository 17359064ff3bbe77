"""Progress bars on stderr, with speed and time left; only where a person watches a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counted(unit: str) -> Iterator[Callable[[int, int], None]]:
    """Gives a function to call with the number of things done and the number of all."""
    with counted_by_stage() as progress:
        yield lambda done, total: progress(unit, done, total)


@contextmanager
def counted_by_stage() -> Iterator[Callable[[str, int, int], None]]:
    """The same for work of several stages: the function is also told what it is that is counted."""
    if not sys.stderr.isatty():
        yield lambda unit, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda unit, done, total: bar.update(task, description=unit, completed=done, total=total)


@contextmanager
def fetched(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """Gives a function to call with the bytes that have come and those of all, None where nobody knows."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
