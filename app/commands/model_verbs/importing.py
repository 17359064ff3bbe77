"""Make a model of somebody else's weights.

  python main.py models import coco_ssd_mobilenet_v1_quant.tflite --as coco
  python main.py models import coco-ssd/model.json --as web
  python main.py models import helmets.tflite --as helmets --classes helmets.txt
  python main.py models import VGG_SSD_300.caffemodel --as voc --prototxt deploy.prototxt
  python main.py models import ssd7_weights.h5 --as signs --classes signs.txt \\
      --input-size 300x400 --anchors ssd7-300

The file is recognised by its content, not by its name: a Caffe model, Keras .h5, PyTorch checkpoint, TFLite
model, frozen TensorFlow graph or model.json of TensorFlow.js (its weights beside it) of an SSD. What it does
not say itself has to be said with an option; an import that lacks something is refused and tells the choices.
'models inspect FILE' shows what is in a file.
"""

import argparse
from pathlib import Path

from app.commands.amounts import height_by_width


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="the file of weights")
    parser.add_argument("--as", metavar="NAME", required=True, dest="name", help="what to call it here")
    parser.add_argument(
        "--classes", metavar="FILE", type=Path, help="text file with the names of its classes, one a line"
    )
    parser.add_argument(
        "--architecture", metavar="NAME", help="what network it must be; otherwise it is found out"
    )
    parser.add_argument(
        "--anchors", metavar="NAME|FILE", help="which anchors it was trained with; FILE is a model's card"
    )
    parser.add_argument(
        "--input-size",
        metavar="HxW",
        type=height_by_width,
        help="height and width of its pictures, such as 300x480",
    )
    parser.add_argument(
        "--prototxt",
        metavar="FILE",
        type=Path,
        help="description of a .caffemodel; default: the one of its name beside it, or deploy.prototxt",
    )
    parser.add_argument("--force", action="store_true", help="replace a model of that name")


def run(options: argparse.Namespace) -> int:
    from detector.importers import import_file
    from detector.model_store import check_new_name, save_model

    check_new_name(options.name, force=options.force)
    imported = import_file(
        options.file,
        name=options.name,
        classes_file=options.classes,
        architecture=options.architecture,
        anchors=options.anchors,
        input_size=options.input_size,
        prototxt=options.prototxt,
    )
    model = save_model(imported.card, imported.weights, force=options.force)
    print("\n".join((*imported.notes, f"Saved as '{model.name}': {model.card_path}")))
    return 0
