"""How models are spoken of in tables and lists."""

from collections.abc import Iterator, Sequence
from pathlib import Path


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines with the columns one under another."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)).rstrip()


def size_words(size: tuple[int, int]) -> str:
    """(height, width) -> 300x300"""
    return f"{size[0]}x{size[1]}"


def megabytes(path: Path) -> str:
    """Of a file, or that it is missing."""
    size = size_of(path)
    return "missing" if size is None else f"{size / 1e6:.1f} MB"


def size_of(path: Path) -> int | None:
    """Bytes of a file; None when it is not there (any more)."""
    try:
        return path.stat().st_size
    except OSError:
        return None
