"""List, show and import models.

  python main.py models list
  python main.py models show street
  python main.py models import coco_ssd_mobilenet_v1_quant.tflite --as coco
  python main.py models import helmets.tflite --as helmets --classes helmets.txt

A model is a card (JSON) and its weights (HDF5); 'models show' says where they lie.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detector.model_store import Model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(title="what to do", metavar="VERB", required=True)

    listing = verbs.add_parser("list", help="the models at hand", allow_abbrev=False)
    listing.add_argument("--json", action="store_true", help="for programs")
    listing.set_defaults(verb=_list)

    showing = verbs.add_parser("show", help="what one model is and how it came about", allow_abbrev=False)
    showing.add_argument("name", metavar="NAME", help="a model of the list, or the path of a card")
    showing.add_argument("--json", action="store_true", help="its card as it is on disk")
    showing.set_defaults(verb=_show)

    importing = verbs.add_parser(
        "import",
        help="make a model of somebody else's weights",
        epilog="example:\n  python main.py models import coco_ssd_mobilenet_v1_quant.tflite --as coco",
        formatter_class=argparse.RawDescriptionHelpFormatter,  # keeps the example on one line
        allow_abbrev=False,
    )
    importing.add_argument("file", metavar="FILE", type=Path, help="a TFLite SSD MobileNet v1")
    importing.add_argument("--as", metavar="NAME", required=True, dest="name", help="what to call it here")
    importing.add_argument(
        "--classes", metavar="FILE", type=Path, help="text file with the names of its classes, one a line"
    )
    importing.add_argument("--force", action="store_true", help="replace a model of that name")
    importing.set_defaults(verb=_import)


def run(options: argparse.Namespace) -> int:
    """Returns the exit code."""
    return int(options.verb(options))


def _list(options: argparse.Namespace) -> int:
    from detector.model_store import list_models

    models = list_models()
    if options.json:
        print(json.dumps([_summary(model) for model in models], indent=2, ensure_ascii=False))
    elif models:
        heads = ("name", "architecture", "input", "classes", "size", "from")
        print("\n".join(_table([heads, *map(_row, models)])))
    else:
        print("There is no model yet: 'python main.py models import FILE --as NAME' makes one.")
    return 0


def _show(options: argparse.Namespace) -> int:
    from detector.model_store import find_model

    model = find_model(options.name)
    card = model.card
    if options.json:
        print(json.dumps(card.to_json(), indent=2, ensure_ascii=False))
        return 0
    measured = ", ".join(f"{name} {value}" for name, value in card.measured.items())
    choices = ", ".join(f"{name} {value}" for name, value in card.options.items())
    lines = [
        ("name", card.name),
        ("architecture", f"{card.architecture} ({choices})" if choices else card.architecture),
        ("input", f"{_size(card.input_size)}, {card.channel_order}, {card.anchors.count} anchors"),
        ("shown from score", f"{card.min_score:g}"),
        ("NMS overlap", f"{card.nms_iou:g}"),
        ("most detections", str(card.max_detections)),
        ("measured", measured or "nothing yet"),
        ("licence", card.licence),
        ("origin", card.origin),
        ("weights", f"{model.weights_path} ({_megabytes(model)})"),
        ("classes", f"{len(card.classes)}: {', '.join(card.classes)}"),
    ]
    print("\n".join(f"{head:<17} {text}" for head, text in lines))
    return 0


def _import(options: argparse.Namespace) -> int:
    from detector.importers import import_file
    from detector.model_store import check_new_name, save_model

    check_new_name(options.name, force=options.force)
    imported = import_file(options.file, name=options.name, classes_file=options.classes)
    model = save_model(imported.card, imported.weights, force=options.force)
    print("\n".join((*imported.notes, f"Saved as '{model.name}': {model.card_path}")))
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
        "bytes": _bytes(model),
        "ships": model.ships,
    }


def _row(model: "Model") -> Sequence[str]:
    card = model.card
    return (
        card.name,
        card.architecture,
        _size(card.input_size),
        str(len(card.classes)),
        _megabytes(model),
        "SSD Studio" if model.ships else "you",
    )


def _table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)).rstrip()


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _bytes(model: "Model") -> int | None:
    return model.weights_path.stat().st_size if model.weights_path.is_file() else None


def _megabytes(model: "Model") -> str:
    size = _bytes(model)
    return "missing" if size is None else f"{size / 1e6:.1f} MB"
