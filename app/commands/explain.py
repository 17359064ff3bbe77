"""See why a model sees a box: what of the picture spoke for it, or which anchors stand behind it.

  python main.py explain photo.jpg --model everyday --out why.png
  python main.py explain photo.jpg --model everyday --class person --out why.png
  python main.py explain --anchors photo.jpg --model everyday --out anchors.png
  python main.py explain --anchors photo.jpg --data photos --model everyday --out anchors.png

Without --box or --class it is the surest box. The boxes of the picture are listed with their numbers.

--anchors draws the anchor that gave the box and those it suppressed, then every feature map's anchors at the
cell nearest to the box. With --data, the labelled photographs the picture belongs to, it also draws which
anchors learn which object, and which objects no anchor reaches.
"""

import argparse
from pathlib import Path

from app.commands.amounts import at_least, from_0_to_1
from detector.explain.names import METHODS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("picture", metavar="PICTURE", type=Path)
    add("--model", metavar="NAME", help="default: the one that ships, or the only one there is")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--box", metavar="N", type=at_least(1), help="the N-th surest box (default: 1)")
    which.add_argument("--class", dest="name", metavar="NAME", help="the surest box of this class")
    add(
        "--min-score",
        metavar="S",
        type=from_0_to_1,
        help="boxes less sure do not count (default: the model's)",
    )
    add("--method", metavar="NAME", default="odam", help="see below (default: odam)")
    add("--layer", metavar="NAME", help="the feature map to read (default: the deepest that shows places)")
    add("--anchors", action="store_true", help="draw the anchors behind the box instead")
    add("--data", metavar="FOLDER", type=Path, help="with --anchors: the labelled photographs it is one of")
    add("--out", metavar="OUT.png", type=Path, required=True, help="the picture to write")
    add("--force", action="store_true", help="replace OUT.png if it exists")
    parser.epilog = "methods:\n" + "\n".join(f"  {name:<18}{words}" for name, words in METHODS.items())


def run(options: argparse.Namespace) -> int:
    from app.commands.explain_run import explain  # here: `--help` answers without Keras

    return explain(options)
