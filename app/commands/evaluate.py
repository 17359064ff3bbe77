"""Measure how good a model is on labelled photographs.

  python main.py evaluate --model everyday --data photos --split test
  python main.py evaluate --model coco --data VOC2007 --split test --alias tv=tvmonitor --json figures.json

The folder may be PASCAL VOC, COCO, YOLO or CSV. Classes are matched by name, or by names that mean the same.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from app.commands.progress import counted
from detector.class_names import Aliases
from detector.errors import OptionError, StudioError
from detector.model_store import find_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", metavar="NAME", required=True, help="the model to measure (see 'models list')"
    )
    parser.add_argument("--data", metavar="FOLDER", required=True, help="labelled photographs")
    parser.add_argument(
        "--split", metavar="NAME", help="train, val, test or another list of the folder (default: all)"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures for a program to read")
    add = "two names that mean the same, like tv=tvmonitor; may be given again"
    parser.add_argument("--alias", metavar="A=B", action="append", default=[], help=add)
    parser.add_argument(
        "--min-score", metavar="S", type=float, help="for precision and recall (default: the model's)"
    )
    parser.add_argument("--engine", default="auto", help="auto, openvino or keras (default: auto)")
    parser.add_argument("--device", default="auto", help="auto, cpu or gpu (default: auto)")
    parser.add_argument("--precision", default="auto", help="auto, float32 or bfloat16 (default: auto)")
    parser.add_argument("--force", action="store_true", help="replace FILE if it exists")


def run(options: argparse.Namespace) -> int:
    if options.json and options.json.exists() and not options.force:
        raise StudioError(f"{options.json} exists already; --force replaces it.")
    aliases = _aliases(options.alias)
    model = find_model(options.model)
    from detector.engines import open_engine
    from trainer.datasets import open_dataset
    from trainer.evaluation.answers import ClassMap, answers
    from trainer.evaluation.evaluation import evaluate

    dataset = open_dataset(options.data, split=options.split)
    class_map = ClassMap.between(model.labels, dataset.labels, aliases)
    engine = open_engine(model, engine=options.engine, device=options.device, precision=options.precision)
    try:
        with counted("pictures") as progress:
            found = answers(engine, dataset.examples, class_map, progress=progress)
    finally:
        engine.close()
    min_score = model.card.min_score if options.min_score is None else options.min_score
    evaluation = evaluate(dataset.examples, found, dataset.labels, min_score=min_score)
    figures: dict[str, Any] = {
        "model": model.name,
        "model_sha256": model.card.weights_sha256,
        "device": engine.device,
    }
    figures |= evaluation.to_json()
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(f"VOC 2007 mAP {evaluation.voc07_map:.4f}, area mAP {evaluation.voc_area_map:.4f}")
    for line in evaluation.classes:
        value = "   –  " if line.voc07_ap is None else f"{line.voc07_ap:.4f}"
        print(f"  {line.name:<16} {value}  objects {line.objects:5}")
    if class_map.missing:
        print(f"note: the model does not know {', '.join(class_map.missing)}", file=sys.stderr)
    return 0


def _aliases(added: list[str]) -> Aliases:
    aliases = Aliases.shipped()
    for text in added:
        one, equals, other = (part.strip() for part in text.partition("="))
        if not (one and equals and other):
            raise OptionError(
                f"--alias '{text}' cannot be read; write two names that mean the same: tv=tvmonitor."
            )
        aliases = aliases.with_pair(one, other)
    return aliases
