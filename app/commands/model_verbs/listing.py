"""The models at hand, and the published weights that can be had.

  python main.py models list
  python main.py models list --markdown

A model is a card (JSON) and its weights (HDF5). Of what can be had, the list says what fetching it needs:
nothing, --unverified where nobody has published a checksum, or a browser.
"""

import argparse
import importlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app.commands.model_verbs.words import megabytes, size_of, size_words, table
from app.commands.progress import counted
from app.greetings import without_greetings

if TYPE_CHECKING:
    from app.published.catalog import Published
    from detector.model_store import Model

_FIGURES = {
    "voc07_map": "VOC 2007 mAP",
    "voc12_map": "VOC 2012 mAP",
    "coco_ap": "COCO AP",
    "coco_ap50": "COCO AP50",
    "coco_ap75": "COCO AP75",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for programs")
    form.add_argument(
        "--markdown",
        action="store_true",
        help="the architectures instead, as a table, measured on this computer (takes minutes)",
    )


def run(options: argparse.Namespace) -> int:
    if options.markdown:
        return _compare_architectures()
    from app.published.catalog import read_catalog
    from detector.model_store import list_models

    models, published = list_models(), read_catalog()
    if options.json:
        lists = {"models": list(map(_summary, models)), "published": list(map(asdict, published))}
        print(json.dumps(lists, indent=2, ensure_ascii=False))
        return 0
    if models:
        heads = ("name", "architecture", "input", "classes", "size", "from")
        print("\n".join(table([heads, *map(_row, models)])))
    else:
        print("There is no model yet: 'python main.py models import FILE --as NAME' makes one of a file.")
    offers = ("can be had", "architecture", "published", "size", "needs")
    print("\n" + "\n".join(table([offers, *map(_offer, published)])))
    print("\n'python main.py models download NAME' fetches one of them.")
    return 0


def _compare_architectures() -> int:
    os.environ["KERAS_BACKEND"] = "tensorflow"  # what OpenVINO is compared with
    with without_greetings():
        importlib.import_module("keras")
    from app.benchmark.architectures import compare, markdown
    from detector.engines.devices import processor_name, usable_cores
    from detector.networks.architectures import ARCHITECTURES

    rows = []
    with counted("architectures") as progress:
        for row in compare():
            rows.append(row)
            progress(len(rows), len(ARCHITECTURES))
    print(markdown(rows))
    print(f"\n{processor_name()}, {usable_cores()} cores. TensorFlow: the bare network in float32. ", end="")
    print(f"OpenVINO: the whole call ({rows[0].device}). Random weights for 80 classes, 1280x720 frames.")
    return 0


def _summary(model: "Model") -> dict[str, Any]:
    card = model.card
    return {
        "name": card.name,
        "architecture": card.architecture,
        "input_size": list(card.input_size),
        "anchors": card.anchors.count,
        "classes": list(card.classes),
        "measured": dict(card.measured),
        "licence": card.licence,
        "origin": card.origin,
        "card": str(model.card_path),
        "bytes": size_of(model.weights_path),
        "ships": model.ships,
    }


def _row(model: "Model") -> Sequence[str]:
    card = model.card
    return (
        card.name,
        card.architecture,
        size_words(card.input_size),
        str(len(card.classes)),
        megabytes(model.weights_path),
        "SSD Studio" if model.ships else "you",
    )


def _offer(entry: "Published") -> Sequence[str]:
    figures = (f"{_FIGURES[name]} {100 * value:.1f} %" for name, value in entry.published_map.items())
    return (
        entry.name,
        entry.architecture,
        next(figures, "–"),
        "–" if entry.megabytes is None else f"{entry.megabytes:.1f} MB",
        entry.needs,
    )
