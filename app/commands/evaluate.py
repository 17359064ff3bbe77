"""Measure how good a model is on labelled photographs, or which of two is better.

  python main.py evaluate --model everyday --data photos --split test
  python main.py evaluate --model coco --data VOC2007 --split test --json figures.json --report report
  python main.py evaluate --compare coco everyday --data VOC2007 --split test

The folder may be PASCAL VOC, COCO, YOLO or CSV. Classes are matched by name, or by names that mean the same
(tv = tvmonitor; --alias adds to the table). All models are measured alike, whatever their cards say: scores
from 0.01, NMS at an overlap of 0.45, 200 boxes a picture.
"""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.amounts import at_least, from_0_to_1
from app.commands.options import add_engine_options, read_pair
from app.commands.progress import counted
from app.commands.results import refuse_existing, write_json
from app.greetings import without_greetings
from detector.class_names import Aliases
from detector.errors import OptionError
from detector.model_store import Model, find_model

if TYPE_CHECKING:
    from detector.values import Detections
    from trainer.datasets import Dataset
    from trainer.evaluation.comparison import Comparison, Difference
    from trainer.evaluation.evaluation import Evaluation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    models = parser.add_mutually_exclusive_group(required=True)
    models.add_argument("--model", metavar="NAME", help="the model to measure (see 'models list')")
    models.add_argument("--compare", metavar=("A", "B"), nargs=2, help="two models, side by side")
    add = parser.add_argument
    add("--data", metavar="FOLDER", type=Path, required=True, help="labelled photographs")
    add("--split", metavar="NAME", help="train, val, test or another list of the folder (default: all)")
    add("--classes", metavar="A,B=C", help="only these classes of the folder; B becomes C (default: all)")
    add("--columns", metavar="A=B,...", help="CSV: which column is what, as picture=img,class=kind,x1=3")
    add("--alias", metavar="A=B", action="append", default=[], help="two names of one class; may be repeated")
    add("--min-score", metavar="S", type=from_0_to_1, help="for precision and recall (default: the model's)")
    add("--json", metavar="FILE", type=Path, help="write the figures for a program to read")
    add("--report", metavar="DIR", type=Path, help="write a page with curves, confusions and worst mistakes")
    add("--batch", metavar="N", type=at_least(1), default=8, help="pictures looked at together (default: 8)")
    add_engine_options(parser)
    add("--force", action="store_true", help="replace files that exist")


def run(options: argparse.Namespace) -> int:
    if options.compare and options.report:
        raise OptionError("--report is about one model; give --model instead of --compare.")
    refuse_existing(options.json, force=options.force)
    refuse_existing(options.report and options.report / "index.html", force=options.force)
    aliases = _aliases(options.alias)
    models = [find_model(name) for name in options.compare or [options.model]]
    from trainer.datasets import open_dataset

    dataset = open_dataset(
        options.data, split=options.split, classes=options.classes, columns=options.columns
    )
    if left_out := dataset.left_out():
        print(f"note: left out: {left_out}", file=sys.stderr)
    found, devices = zip(*(_look(model, dataset, aliases, options) for model in models))
    about = {"data": str(options.data), "split": dataset.split}
    if options.compare:
        return _compare(models, dataset, found, about, options.json)
    return _measure(models[0], dataset, found[0], about | {"device": devices[0]}, aliases, options)


def _look(
    model: Model, dataset: "Dataset", aliases: Aliases, options: argparse.Namespace
) -> tuple[list["Detections"], str]:
    """What the model finds on every picture, and on what it ran."""
    from detector.engines import open_engine
    from trainer.evaluation.answers import ClassMap, answers

    class_map = ClassMap.between(model.labels, dataset.labels, aliases)
    if class_map.missing:
        names = ", ".join(class_map.missing)
        print(f"note: '{model.name}' does not know {names}: it finds none of them", file=sys.stderr)
    engine = open_engine(model, engine=options.engine, device=options.device, precision=options.precision)
    try:
        with counted("pictures") as progress:
            found = answers(engine, dataset.examples, class_map, batch=options.batch, progress=progress)
        return found, engine.device
    finally:
        engine.close()


def _measure(
    model: Model,
    dataset: "Dataset",
    found: list["Detections"],
    about: dict[str, str | None],
    aliases: Aliases,
    options: argparse.Namespace,
) -> int:
    from trainer.evaluation.answers import ClassMap
    from trainer.evaluation.evaluation import evaluate
    from trainer.evaluation.reasons import Reasons
    from trainer.evaluation.report import write_report

    min_score = model.card.min_score if options.min_score is None else options.min_score
    evaluation = evaluate(dataset.examples, found, dataset.labels, min_score=min_score)
    _print_figures(evaluation)
    if options.json:
        who = {"model": model.name, "model_sha256": model.card.weights_sha256}
        write_json(options.json, {**who, **about, **evaluation.to_json()})
    if options.report:
        title = f"{model.name} on {options.data.name}" + (f", {dataset.split}" if dataset.split else "")
        facts = {"pictures": str(len(dataset)), "device": about["device"] or "", "data": str(options.data)}
        with without_greetings():
            reasons = Reasons(model, ClassMap.between(model.labels, dataset.labels, aliases))
        page = partial(write_report, options.report, evaluation, dataset.examples, found, title=title)
        print(page(facts=facts, reasons=reasons))
    return 0


def _compare(
    models: list[Model],
    dataset: "Dataset",
    found: tuple[list["Detections"], ...],
    about: dict[str, str | None],
    json: Path | None,
) -> int:
    from trainer.evaluation.comparison import compare

    comparison = compare(dataset.examples, found[0], found[1], dataset.labels)
    _print_comparison(models, comparison)
    if json:
        who = {
            place: {"model": model.name, "model_sha256": model.card.weights_sha256}
            for place, model in zip(("first", "second"), models)
        }
        write_json(json, {**who, **about, "images": len(dataset), **comparison.to_json()})
    return 0


def _aliases(added: list[str]) -> Aliases:
    aliases = Aliases.shipped()
    for text in added:
        aliases = aliases.with_pair(*read_pair(text, option="--alias"))
    return aliases


def _print_figures(evaluation: "Evaluation") -> None:
    coco, all_classes = evaluation.coco, evaluation.counts
    print(f"{evaluation.images} pictures, {all_classes.objects} objects\n")
    print(f"  VOC 2007 mAP {evaluation.voc07_map:.4f}   area mAP {evaluation.voc_area_map:.4f}")
    print(f"  COCO AP {_number(coco.ap)}   AP50 {_number(coco.ap50)}   AR100 {_number(coco.ar100)}\n")
    print(f"  {'class':<18} objects  VOC07 AP  area AP  COCO AP  precision  recall     F1")
    for each in evaluation.classes:
        aps = f"{_number(each.voc07_ap):>9} {_number(each.voc_area_ap):>8} {_number(each.coco_ap):>8}"
        counts = each.counts
        shown = f"{counts.precision:>10.4f} {counts.recall:>7.4f} {counts.f1:>6.4f}"
        print(f"  {each.name:<18} {counts.objects:>7} {aps} {shown}")
    shown = f"{all_classes.precision:>10.4f} {all_classes.recall:>7.4f} {all_classes.f1:>6.4f}"
    print(f"  {'all':<18} {all_classes.objects:>7} {'':>27} {shown}")
    print(f"\n  at a minimum score of {evaluation.min_score:g}", end="")
    best = evaluation.best_min_score
    print(f"; F1 would be highest at {best:.2f}" if best is not None else "")
    sizes = evaluation.found_by_size.items()
    print("  found: " + ", ".join(f"{found} of {there} {name}" for name, (found, there) in sizes))
    print("  mistakes, and what the area mAP would gain if all of a kind were mended:")
    for kind in evaluation.kinds:
        print(f"    {kind.name:<12}{kind.count:>6}  {kind.gain:+.3f}")


def _print_comparison(models: list[Model], comparison: "Comparison") -> None:
    first, second = (model.name[:14] for model in models)
    print(f"  {'':<18} {first:>14} {second:>14}  difference  95 % interval")

    def line(each: "Difference", name: str) -> str:
        change = f"{each.second - each.first:>+11.4f}  {each.low:+.4f} to {each.high:+.4f}"
        verdict = "noise" if each.is_noise else f"{second if each.second > each.first else first} is better"
        return f"  {name:<18} {each.first:>14.4f} {each.second:>14.4f} {change}  {verdict}"

    for each in comparison.maps:
        print(line(each, {"voc07_map": "VOC 2007 mAP", "voc_area_map": "area mAP"}[each.name]))
    print()
    for each in comparison.classes:
        print(line(each, each.name))
    print(f"\n  by class: area AP; intervals from {comparison.draws} draws of the pictures")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
