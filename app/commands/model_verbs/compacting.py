"""Copy a model at half its size on disk, its weights in float16.

  python main.py models compact helmets --as helmets-small

What it finds is the same but for rounding in the fourth digit; 'evaluate --compare' tells. Only the file is
smaller: engines compute as before.
"""

import argparse
from dataclasses import replace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a model of the list, or the path of a card")
    parser.add_argument("--as", metavar="NAME", required=True, dest="name", help="what to call the copy")
    parser.add_argument("--force", action="store_true", help="replace a model of that name")


def run(options: argparse.Namespace) -> int:
    """raises  ModelError when a weight is too large for float16, or the name is taken"""
    import numpy as np

    from app.commands.model_verbs.words import megabytes
    from detector.errors import ModelError
    from detector.model_store import check_new_name, find_model, read_weights, save_model

    check_new_name(options.name, force=options.force)
    model = find_model(options.model)
    largest = np.finfo(np.float16).max
    weights = read_weights(model)
    if too_large := [name for name, array in weights.items() if np.abs(array).max(initial=0) > largest]:
        raise ModelError(f"'{model.name}' cannot be kept in float16: {too_large[0]} goes beyond {largest:g}.")
    halved = {name: array.astype(np.float16) for name, array in weights.items()}
    copy = save_model(replace(model.card, name=options.name), halved, force=options.force)
    print(f"Saved as '{copy.name}': {megabytes(copy.weights_path)} for {megabytes(model.weights_path)}.")
    return 0
