"""Make a model of somebody else's weights.

  python main.py models import coco_ssd_mobilenet_v1_quant.tflite --as coco
  python main.py models import helmets.tflite --as helmets --classes helmets.txt

The file is recognised by its content, not by its name.
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="a TFLite SSD MobileNet v1")
    parser.add_argument("--as", metavar="NAME", required=True, dest="name", help="what to call it here")
    parser.add_argument(
        "--classes", metavar="FILE", type=Path, help="text file with the names of its classes, one a line"
    )
    parser.add_argument("--force", action="store_true", help="replace a model of that name")


def run(options: argparse.Namespace) -> int:
    from detector.importers import import_file
    from detector.model_store import check_new_name, save_model

    check_new_name(options.name, force=options.force)
    imported = import_file(options.file, name=options.name, classes_file=options.classes)
    model = save_model(imported.card, imported.weights, force=options.force)
    print("\n".join((*imported.notes, f"Saved as '{model.name}': {model.card_path}")))
    return 0
