"""What was measured, told: a table for the terminal or a page of Markdown, and JSON for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from app.benchmark.measuring import Row
from app.benchmark.runs import Measured

_STAGES = ("resize", "network", "selection", "whole")


def page(measured: Measured, *, markdown: bool) -> str:
    """All of it, ending without a newline in the terminal and with one in a file."""
    bullet = "- " if markdown else ""
    parts = [
        "\n".join(f"{bullet}{name}: {words}" for name, words in measured.about.items()),
        _table(*_lines(measured), words=2, markdown=markdown),
    ]
    if rates := measured.rates:
        cells = [f"{rate:.1f}" for rate in asdict(rates).values()] + [f"{rates.of_slowest:.2f}"]
        heads = ["frames/s of", *asdict(rates), "of the slowest"]
        parts.append(
            _table(heads, [[measured.about["frame"].split(", ")[-1], *cells]], words=1, markdown=markdown)
        )
    return "\n\n".join(parts) + ("\n" if markdown else "")


def to_json(measured: Measured) -> dict[str, Any]:
    rows = []
    for row in measured.rows:
        ratios = {heading: _ratio(row, ones) for heading, ones in measured.against.items()}
        rows.append(row.to_json() | {name: round(ratio, 3) for name, ratio in ratios.items() if ratio})
    rates = measured.rates
    file = {"file": asdict(rates) | {"of_slowest": rates.of_slowest}} if rates else {}
    return {"about": dict(measured.about), "rows": rows} | file


def _lines(measured: Measured) -> tuple[list[str], list[list[str]]]:
    batches = any(row.way.batch > 1 for row in measured.rows)
    heads = [
        "model",
        "runs on",
        *(["batch"] if batches else []),
        *_STAGES,
        "p95",
        *measured.against,
        "pictures/s",
    ]
    lines = []
    for row in measured.rows:
        cells = [row.way.model, row.way.runs_on, *([str(row.way.batch)] if batches else [])]
        cells += [f"{row.stages[stage].median:.2f}" if stage in row.stages else "" for stage in _STAGES]
        cells.append(f"{row.total.p95:.2f}")
        for ones in measured.against.values():
            ratio = _ratio(row, ones)
            cells.append("" if ratio is None else f"{ratio:.2f}")
        lines.append([*cells, f"{row.pictures_per_second:.1f}"])
    return heads, lines


def _ratio(row: Row, ones: Sequence[Row]) -> float | None:
    """To the one of its model; a single one is for the rows of all models."""
    fitting = [one for one in ones if one.way.model == row.way.model or len(ones) == 1]
    return row.ratio_to(fitting[0]) if fitting else None


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]], *, words: int, markdown: bool) -> str:
    """words  so many columns from the left hold words; the rest are numbers"""
    if markdown:
        rule = ["---"] * words + ["---:"] * (len(heads) - words)
        return "\n".join("| " + " | ".join(line) + " |" for line in (heads, rule, *lines))
    widths = [max(map(len, column)) for column in zip(heads, *lines)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index < words else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in (heads, *lines)
    )
