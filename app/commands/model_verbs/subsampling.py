"""Make a model for other classes of one that is there.

  python main.py models subsample coco --classes person,car --as street
  python main.py models subsample coco --classes person,car,car=van --as vans
  python main.py models subsample coco --classes person --add helmet,vest --as site

What is kept finds at once what it found before; a class that is doubled or added is for training to part.
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a model of the list, or the path of a card")
    parser.add_argument(
        "--classes", metavar="A,B=C", required=True, help="classes to keep; B becomes C; twice doubles it"
    )
    parser.add_argument("--add", metavar="D,E", default="", help="classes it does not know yet")
    parser.add_argument("--as", metavar="NAME", required=True, dest="name", help="what to call the new model")
    parser.add_argument("--force", action="store_true", help="replace a model of that name")


def run(options: argparse.Namespace) -> int:
    from detector.class_heads import choose_classes, parse_classes
    from detector.model_store import check_new_name, find_model, read_weights, save_model

    chosen = parse_classes(options.classes, options.add)
    check_new_name(options.name, force=options.force)
    model = find_model(options.model)
    card, weights = choose_classes(model.card, read_weights(model), chosen, name=options.name)
    saved = save_model(card, weights, force=options.force)
    print(f"Saved as '{saved.name}', {len(card.classes)} classes: {saved.card_path}")
    if any(each.old is None for each in chosen):
        print(
            f"What was added must be learnt first: 'python main.py train --from {saved.name} --data FOLDER'."
        )
    return 0
