"""The models at hand.

  python main.py models list

Each is a card (JSON) and its weights (HDF5).
"""

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.commands.model_verbs.words import megabytes, size_words, table

if TYPE_CHECKING:
    from detector.model_store import Model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> int:
    from detector.model_store import list_models

    models = list_models()
    if options.json:
        print(json.dumps([_summary(model) for model in models], indent=2, ensure_ascii=False))
    elif models:
        heads = ("name", "architecture", "input", "classes", "size", "from")
        print("\n".join(table([heads, *map(_row, models)])))
    else:
        print("There is no model yet: 'python main.py models import FILE --as NAME' makes one.")
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
        "bytes": model.weights_path.stat().st_size if model.weights_path.is_file() else None,
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
