"""Make a detector of your own from labelled photographs.

  python main.py train --data photos
  python main.py train --data photos --from everyday --minutes 30 --name helmets
  python main.py train --resume runs/helmets-1

The folder may be PASCAL VOC, COCO, YOLO or CSV ('dataset check' looks for mistakes in it). Everything about
the training goes to a run folder: curves, checkpoints, pictures of what is found, at the end the model.
Ctrl-C ends it after the step and keeps the best model; --resume goes on, also after a power cut.

--set changes a value of the recipe, as in --set rate=0.005 --set 'frozen=["Conv2d_[0-3]_*"]'. The values are
those of trainer/recipe.py; recipes that ship lie in trainer/recipes.
"""

import argparse
from pathlib import Path

from app.commands.amounts import above_zero, at_least, height_by_width
from app.greetings import without_greetings
from detector.errors import OptionError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data", metavar="FOLDER", help="labelled photographs")
    add("--name", metavar="NAME", help="of the model to be made (default: the folder's)")
    add("--classes", metavar="A,B=C", help="only these classes, under new names where it says so")
    add("--columns", metavar="A=B", help="which column of a CSV file is what: picture=img,x1=left")
    add("--train-split", metavar="NAME", help="list of the pictures to learn from (default: train)")
    add(
        "--val-split",
        metavar="NAME",
        help="list of those to choose by (default: val; else some are held out)",
    )
    add(
        "--from",
        dest="start_from",
        metavar="MODEL",
        help="start from a model, its network too (default: the one that ships; none after --architecture, "
        "--option or --backbone-weights)",
    )
    add("--alias", metavar="A=B", action="append", default=[], help="two class names that mean the same")
    add("--keep-folded", action="store_true", help="do not give a folded model its normalisation back")
    add(
        "--backbone-weights",
        metavar="FILE",
        help="start from a backbone: a Keras .h5, .tflite or .caffemodel; 'imagenet' fetches one of Keras",
    )
    add("--architecture", metavar="NAME", help="start anew (default of that: ssd300-mobilenet-v1)")
    add("--option", metavar="A=B", action="append", default=[], help="of the architecture: width=0.25")
    add(
        "--size",
        metavar="HxW",
        type=height_by_width,
        help="of the pictures the network takes (default: the model's, or usual)",
    )
    add("--anchors", metavar="FILE", type=Path, help="as 'dataset check --anchors FILE' proposes them")
    add("--scores", choices=("softmax", "sigmoid"), help="default: as the model it starts from, else softmax")
    add(
        "--minutes",
        metavar="N",
        type=above_zero,
        help="time to take, in place of the recipe's epochs; adds to a run resumed",
    )
    add(
        "--recipe",
        metavar="NAME",
        help="a TOML file, or one that ships (default: fine-tune where it starts from a model, 30 epochs; "
        "else 60 epochs with the values of trainer/recipe.py)",
    )
    add("--set", metavar="A=B", action="append", default=[], help="change a value of the recipe")
    add("--run", metavar="FOLDER", type=Path, help="run folder (default: the next free one under runs/)")
    add("--resume", metavar="RUN", type=Path, help="go on with the training of a run folder")
    add(
        "--epochs",
        metavar="N",
        type=above_zero,
        help="rounds through the pictures; adds some to a run resumed",
    )
    add("--batch", metavar="N", type=at_least(1), help="pictures a step (default: the recipe's, 16)")
    add(
        "--rate",
        metavar="R",
        type=above_zero,
        help="how far a step goes (default: the recipe's; 0.004 of fine-tune, else 0.01)",
    )
    add("--augmentation", choices=("original", "satellite", "none"), help="default: the recipe's, original")
    add("--difficult", choices=("train", "ignore"), help="objects marked difficult (default: train)")
    add("--seed", metavar="N", type=at_least(0), help="of all chance (default: 0)")
    add("--force", action="store_true", help="replace a model of that name")
    add(
        "--workers",
        metavar="N",
        type=at_least(1),
        help="that prepare pictures (default: all cores but two, at least 2)",
    )
    add("--quiet", action="store_true", help="only errors, and the result")


def run(options: argparse.Namespace) -> int:
    _refuse_two_starts(options)
    _refuse_other_backends()
    from app.commands.train_run import train  # here: `--help` answers without Keras

    return train(options)


def _refuse_two_starts(options: argparse.Namespace) -> None:
    """raises  OptionError when the network is to be that of a model, and another as well"""
    others = {
        "--architecture": options.architecture,
        "--option": options.option,
        "--backbone-weights": options.backbone_weights,
    }
    given = " and ".join(name for name, value in others.items() if value)
    if options.start_from and given:
        raise OptionError(
            f"--from {options.start_from} brings a network with weights, so {given} cannot "
            "be followed; give one or the other."
        )
    if options.keep_folded and given:
        raise OptionError(
            f"--keep-folded is about the model that a training starts from, and with {given} there is none; "
            "leave it out."
        )


def _refuse_other_backends() -> None:
    """raises  EngineError when Keras cannot be loaded, TrainingError when it runs on what cannot train"""
    from detector.engines.opening import load_keras

    with without_greetings():
        load_keras()
        from trainer.step import check_backend
    check_backend()
