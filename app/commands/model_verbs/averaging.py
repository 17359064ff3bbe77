"""Make one model of the mean weights of several that started from the same one.

  python main.py models average helmets-1 helmets-2 helmets-3 --as helmets

Trainings of one start that differ in chance or recipe end in one valley of the loss. Its middle errs less
than its slopes, and costs no more than one of them ('evaluate --compare' tells). Models with nothing in
common average to nothing.
"""

import argparse
from dataclasses import replace

_ALIKE = (
    "architecture",
    "options",
    "input_size",
    "anchors",
    "variances",
    "channel_order",
    "mean",
    "scale",
    "score_activation",
    "classes",
)  # what their cards must say alike


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", metavar="MODEL", nargs="+", help="of the list, or the paths of their cards")
    parser.add_argument("--as", metavar="NAME", required=True, dest="name", help="what to call the mean")
    parser.add_argument("--force", action="store_true", help="replace a model of that name")


def run(options: argparse.Namespace) -> int:
    """source  Wortsman et al. 2022, Model soups

    raises  ModelError when the models do not look at pictures alike, or the name is taken
    """
    import numpy as np

    from detector.errors import ModelError
    from detector.model_store import check_new_name, find_model, read_weights, save_model

    check_new_name(options.name, force=options.force)
    first, *others = [find_model(name) for name in options.models]
    if not others:
        raise ModelError("One model has no mean: name two or more.")
    for other in others:
        if unlike := [name for name in _ALIKE if getattr(first.card, name) != getattr(other.card, name)]:
            differ = unlike[0].replace("_", " ")
            raise ModelError(f"'{first.name}' and '{other.name}' cannot be averaged: their {differ} differ.")
    sums = {name: array.astype(np.float64) for name, array in read_weights(first).items()}
    for other in others:
        for name, array in read_weights(other).items():
            sums[name] += array
    mean = {name: (total / len(options.models)).astype(np.float32) for name, total in sums.items()}
    origin = f"mean of the weights of {', '.join(options.models)}; {first.name}: {first.card.origin}"
    card = replace(
        first.card, name=options.name, origin=origin, weights_sha256="", int8_sha256="", measured={}
    )
    saved = save_model(card, mean, force=options.force)
    print(f"Saved as '{saved.name}', the mean of {len(options.models)} models.")
    return 0
