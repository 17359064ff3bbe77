"""List, show, fetch, import and change models.

  python main.py models list
  python main.py models show street
  python main.py models download ssdlite320-mobilenet-v3-coco-torchvision
  python main.py models import coco_ssd_mobilenet_v1_quant.tflite --as coco

A model is a card (JSON) and its weights (HDF5); 'models show' says where they lie.
'python main.py models VERB --help' explains one of the verbs.
"""

import argparse

from app.commands.model_verbs import (
    averaging,
    compacting,
    downloading,
    importing,
    inspecting,
    listing,
    quantising,
    showing,
    subsampling,
)

_VERBS = {
    "list": listing,
    "show": showing,
    "download": downloading,
    "import": importing,
    "inspect": inspecting,
    "subsample": subsampling,
    "quantise": quantising,
    "compact": compacting,
    "average": averaging,
}
"""Each has `add_arguments` and `run`; the first line of its docstring is its summary."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(title="what to do", metavar="VERB", required=True)
    for name, verb in _VERBS.items():
        words = verb.__doc__ or ""
        verb_parser = verbs.add_parser(
            name,
            help=words.partition("\n")[0].rstrip("."),
            description=words,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        verb.add_arguments(verb_parser)
        verb_parser.set_defaults(verb=verb.run)


def run(options: argparse.Namespace) -> int:
    """Returns the exit code."""
    return int(options.verb(options))
