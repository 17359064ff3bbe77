"""Give a model an 8-bit version, which runs faster on processors.

  python main.py models quantise street --data photos
  python main.py models quantise street --data photos --split test --max-loss 0.005

The network looks at some photographs (those outside --split, where there are any), then both versions are
measured on the labelled ones. An 8-bit version that loses no more mAP than --max-loss is kept beside the
weights, and '--precision auto' uses it on processors. Needs: pip install -r requirements-int8.txt
"""

import argparse
from pathlib import Path

from app.commands.amounts import at_least
from app.commands.progress import counted_by_stage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("model", metavar="MODEL", help="a model of the list, or the path of a card")
    add("--data", metavar="FOLDER", type=Path, required=True, help="labelled photographs")
    add("--split", metavar="NAME", help="the list of the folder to measure on (default: all)")
    add(
        "--pictures", metavar="N", type=at_least(1), default=100, help="photographs to look at (default: 100)"
    )
    add("--max-loss", metavar="L", type=float, default=0.01, help="mAP it may lose (default: 0.01)")
    add("--force", action="store_true", help="keep it whatever it loses; replace one that is there")


def run(options: argparse.Namespace) -> int:
    from detector.errors import ModelError
    from detector.model_store import find_model
    from trainer.datasets import open_dataset
    from trainer.int8_version import make_int8_version, pictures_to_look_at

    model = find_model(options.model)
    if model.card.int8_sha256 and not options.force:
        raise ModelError(f"'{model.name}' has an 8-bit version already; --force replaces it.")
    dataset = open_dataset(options.data, split=options.split)
    looked_at = pictures_to_look_at(open_dataset(options.data), dataset, options.pictures)
    with counted_by_stage() as progress:
        version = make_int8_version(model, dataset, looked_at, progress=progress)
    figures = f"{version.before:.4f} in float32, {version.after:.4f} in int8"
    print(f"VOC 2007 mAP on {version.images} pictures: {figures} (loss {version.loss:+.4f})")
    if not options.force:
        if version.before == 0:
            raise ModelError(
                f"'{model.name}' finds nothing right on these pictures, so nobody can tell what 8 bits cost: "
                "it was not kept. Measure on pictures of its own kind."
            )
        if version.loss > options.max_loss:
            raise ModelError(
                f"The 8-bit version of '{model.name}' loses more than {options.max_loss:g}: it was not kept. "
                "A higher --max-loss allows it, --force keeps it whatever it loses."
            )
    split = f", {options.split}" if options.split else ""
    saved = version.save(model, measured_on=f"{options.data.name}{split}")
    print(f"Kept beside the weights of '{saved.name}': {saved.int8_path}")
    return 0
