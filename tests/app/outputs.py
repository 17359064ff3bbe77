"""What `detect` has written, read back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def pictures(path: Path) -> Iterator[Any]:
    with av.open(path) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="bgr24")


def count_and_seconds(path: Path) -> tuple[int, float]:
    with av.open(path) as container:
        stream = container.streams.video[0]
        seconds = float(stream.duration * stream.time_base)
        return sum(1 for _ in container.decode(stream)), seconds


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
