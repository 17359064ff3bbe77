"""Measure speed on this computer: what a picture costs, stage by stage, against the same network elsewhere.

  python main.py benchmark
  python main.py benchmark --model coco --tflite detect.tflite --markdown speed.md --json speed.json

Each network runs through OpenVINO as `detect` and the window run it, and through TensorFlow's tf.function as
people call it; with --tflite also through LiteRT. All take turns in one run, so the ratios hold even where
other programs disturb the milliseconds. The frame has 1280x720 pixels; ssd300-vgg16 and ssd300-mobilenet-v1
have random weights with as many answers as trained ones.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detector.engines.measuring import Row, Way
    from detector.values import Frame

_FRAME = (720, 1280)
_BATCHES = (1, 8, 64, 256)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--model", metavar="NAME", help="measure this model too (see 'models list')")
    add("--tflite", metavar="FILE", type=Path, help="measure LiteRT on this file too")
    add(
        "--rounds", metavar="N", type=int, default=40, help="turns of each (default: 40, about three minutes)"
    )
    add("--json", metavar="FILE", type=Path, help="write the figures for a program to read")
    add("--markdown", metavar="FILE", type=Path, help="write the table for a page")
    add("--force", action="store_true", help="replace FILE if it exists")


def run(options: argparse.Namespace) -> int:
    import tempfile

    from app.commands.progress import counted
    from app.commands.results import refuse_existing, write_file, write_json
    from detector.engines.devices import cuda_devices, processor_name, usable_cores
    from detector.engines.measuring import measure, street, throughput, untrained, usual_cards
    from detector.errors import OptionError
    from detector.model_store import find_model
    from detector.values import Frame

    if options.rounds < 1:
        raise OptionError(f"--rounds cannot be {options.rounds}; give 1 or more.")
    if options.tflite and not options.tflite.is_file():
        raise OptionError(f"There is no file {options.tflite}.")
    for path in (options.json, options.markdown):
        refuse_existing(path, force=options.force)
    own = [find_model(options.model)] if options.model else []
    frame = Frame(street(_FRAME))
    with tempfile.TemporaryDirectory() as folder:
        models = [untrained(card, Path(folder)) for card in usual_cards()]
        ways = list(_ways([*models, *own], options.tflite, frame))
        with counted("rounds") as tell:
            rows = measure(ways, rounds=options.rounds, on_round=tell)
        rates = throughput(models[0], frame, batches=_BATCHES) if cuda_devices() else {}
    title = f"{processor_name()}, {usable_cores()} cores, a frame of {_FRAME[1]}x{_FRAME[0]}"
    table = _table(title, rows, rates)
    print(table)
    if options.markdown:
        write_file(options.markdown, (table + "\n").encode())
    if options.json:
        write_json(options.json, {"processor": title, "rows": [*_records(rows)], "gpu_pictures_per_s": rates})
    return 0


def _ways(models: Sequence[Any], tflite: Path | None, frame: "Frame") -> "Iterator[Way]":
    from detector.engines.devices import usable_cores
    from detector.engines.measuring import through_engine, through_keras, through_litert
    from detector.errors import EngineError

    for model in models:
        yield through_keras(model)
        for precision in ("float32", "bfloat16"):
            try:
                yield through_engine(model, frame, engine="openvino", precision=precision)
            except EngineError:  # a processor without bfloat16: nothing to measure
                continue
    if tflite:
        yield through_litert(tflite, name=tflite.stem, threads=usable_cores())


def _table(title: str, rows: "Sequence[Row]", rates: dict[str, float]) -> str:
    """Medians, 95th percentiles in brackets; the ratio is to the same network's tf.function."""
    lines = [
        f"{title}; medians in ms, 95th percentiles in brackets.",
        "",
        "| network | runs on | network | around it | whole call | whole call / tf.function |",
        "|---|---|---|---|---|---|",
    ]
    plain = _plain(rows)
    for row in rows:
        cells = [_cell(row, stage) for stage in ("network", "around", "whole")]
        ratio = _ratio(row, plain)
        cells.append("" if ratio is None else f"{ratio:.2f}")
        lines.append(f"| {row.model} | {row.runtime} | {' | '.join(cells)} |")
    if rates:
        lines += ["", "| on the GPU, ssd300-vgg16, whole calls | pictures/s |", "|---|---|"]
        lines += [f"| {name} | {rate:.0f} |" for name, rate in rates.items()]
    return "\n".join(lines)


def _plain(rows: "Sequence[Row]") -> dict[str, float]:
    return {row.model: row.stages["network"][0] for row in rows if row.runtime.startswith("Keras")}


def _ratio(row: "Row", plain: dict[str, float]) -> float | None:
    if "whole" not in row.stages or row.model not in plain:
        return None
    return row.stages["whole"][0] / plain[row.model]


def _cell(row: "Row", stage: str) -> str:
    if stage not in row.stages:
        return ""
    median, high = row.stages[stage]
    return f"{median:.2f} ({high:.2f})"


def _records(rows: "Sequence[Row]") -> Iterator[dict[str, Any]]:
    plain = _plain(rows)
    for row in rows:
        stages = {name: {"median_ms": low, "p95_ms": high} for name, (low, high) in row.stages.items()}
        yield {
            "model": row.model,
            "runtime": row.runtime,
            "pictures": row.pictures,
            "ratio_to_tf_function": _ratio(row, plain),
            **stages,
        }
