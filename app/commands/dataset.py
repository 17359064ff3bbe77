"""Look at, check, mend, convert and divide labelled photographs (PASCAL VOC, COCO, YOLO, CSV).

  python main.py dataset check photos
  python main.py dataset check photos --fix photos-corrected
  python main.py dataset check photos --anchors anchors.json
  python main.py dataset convert photos photos-coco --to coco
  python main.py dataset split photos photos-divided --into train=0.8,val=0.1,test=0.1
  python main.py dataset preview photos sheet.png --augmented

A folder is only ever read: what is corrected, converted or divided goes to a new one.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.amounts import at_least
from app.commands.progress import counted
from app.commands.results import refuse_existing, write_file, write_json

if TYPE_CHECKING:
    from trainer.datasets.check import Report
    from trainer.datasets.writing import Written

_SHOWN = 20  # flaws of one kind; the rest are in --json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def add(name: str, summary: str) -> argparse.ArgumentParser:
        each = actions.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        each.add_argument("folder", metavar="FOLDER", type=Path, help="labelled photographs")
        each.add_argument(
            "--columns", metavar="A=B,...", help="CSV: which column is what, as picture=img,class=kind,x1=3"
        )
        return each

    check = add("check", "say what is wrong with the labels, and count what is there")
    check.add_argument("--fix", metavar="OUT", type=Path, help="write a corrected copy to this new folder")
    network = "whose anchors the objects are held against (default: %(default)s)"
    check.add_argument("--architecture", metavar="NAME", default="ssd300-mobilenet-v1", help=network)
    anchors = "write the anchors proposed, for 'train --anchors FILE'"
    check.add_argument("--anchors", metavar="FILE", type=Path, help=anchors)
    check.add_argument("--json", metavar="FILE", type=Path, help="write the findings for a program to read")
    check.add_argument("--force", action="store_true", help="replace files that exist")

    convert = add("convert", "write the same pictures and labels in another format")
    convert.add_argument("out", metavar="OUT", type=Path, help="a new folder")
    convert.add_argument("--to", required=True, choices=("voc", "coco", "yolo", "csv"), help="the format")
    convert.add_argument("--classes", metavar="A,B=C", help="only these classes; B becomes C (default: all)")

    split = add("split", "divide the pictures anew, every class in every part by its share")
    split.add_argument("out", metavar="OUT", type=Path, help="a new folder")
    shares = "names and shares of the parts (default: %(default)s)"
    split.add_argument("--into", metavar="A=S,...", default="train=0.8,val=0.1,test=0.1", help=shares)
    split.add_argument(
        "--seed", type=at_least(0), default=0, help="another seed, another division (default: 0)"
    )
    split.add_argument("--to", choices=("voc", "coco", "yolo", "csv"), help="the format (default: as it is)")

    preview = add("preview", "a sheet of examples with their boxes")
    preview.add_argument("out", metavar="OUT.png", type=Path, help="the picture to write")
    preview.add_argument("--split", metavar="NAME", help="train, val, test or another list (default: all)")
    preview.add_argument("--classes", metavar="A,B=C", help="only these classes; B becomes C (default: all)")
    preview.add_argument("--count", type=at_least(1), default=16, help="how many examples (default: 16)")
    preview.add_argument(
        "--seed", type=at_least(0), default=0, help="another seed, other examples (default: 0)"
    )
    augmented = "as training may see them: original (default), satellite or none"
    preview.add_argument("--augmented", metavar="CHAIN", nargs="?", const="original", help=augmented)
    preview.add_argument("--force", action="store_true", help="replace OUT.png if it exists")


def run(options: argparse.Namespace) -> int:
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "check": _check,
        "convert": _convert,
        "split": _split,
        "preview": _preview,
    }
    return actions[options.action](options)


def _check(options: argparse.Namespace) -> int:
    refuse_existing(options.json, force=options.force)
    refuse_existing(options.anchors, force=options.force)
    from detector.anchor_layouts import LAYOUTS
    from detector.networks.catalog import find_architecture
    from trainer.datasets.check import check
    from trainer.datasets.writing import fix

    layout = LAYOUTS[find_architecture(options.architecture).layouts[0]]
    with counted("pictures") as progress:
        report = check(options.folder, layout=layout, columns=options.columns, progress=progress)
    if options.json:
        write_json(options.json, report.to_json())
    _print_report(report, options.architecture)
    _print_anchors(report, options.architecture)
    if options.anchors:
        write_json(options.anchors, (report.proposed or report.anchors).layout.to_json())
    if options.fix:
        _print_written(fix(options.folder, options.fix, columns=options.columns))
        return 0
    return 1 if report.errors else 0


def _convert(options: argparse.Namespace) -> int:
    from trainer.datasets.writing import convert

    settings = {"format": options.to, "classes": options.classes, "columns": options.columns}
    _print_written(convert(options.folder, options.out, **settings))
    return 0


def _split(options: argparse.Namespace) -> int:
    from trainer.datasets.divide import divide, parse_shares

    shares = parse_shares(options.into)
    settings = {"seed": options.seed, "format": options.to, "columns": options.columns}
    _print_written(divide(options.folder, options.out, shares=shares, **settings))
    return 0


def _preview(options: argparse.Namespace) -> int:
    refuse_existing(options.out, force=options.force)
    import cv2

    from trainer.datasets import open_dataset
    from trainer.datasets.preview import as_augmented, as_stored, choose, preview

    dataset = open_dataset(
        options.folder, split=options.split, classes=options.classes, columns=options.columns
    )
    chain, seed = options.augmented, options.seed
    view = as_augmented(chain, height=300, width=300, seed=seed) if chain else as_stored
    pixels = preview(choose(dataset.examples, options.count, seed=options.seed), dataset.labels, view=view)
    _, content = cv2.imencode(".png", pixels)
    write_file(options.out, content.tobytes())
    print(options.out)
    return 0


def _print_report(report: "Report", architecture: str) -> None:
    pictures = ", ".join(f"{split} {count}" for split, count in report.pictures.items())
    print(f"{report.format} folder {report.folder}; pictures: {pictures}")
    print(f"\n  {'class':<20}" + "".join(f"{split:>10}" for split in report.pictures) + "     size    lonely")
    for each in report.classes:
        counts = "".join(f"{each.objects[split]:>10}" for split in report.pictures)
        size = f"{each.sides[0]:.2f}-{each.sides[2]:.2f}" if each.sides else "-"
        print(f"  {each.name:<20}{counts}  {size:>9}{each.without_anchor:>8}")
    print("\nsize: 5th to 95th percentile of the square root of an object's share of its picture")
    print(f"lonely: objects that no anchor of {architecture} overlaps by half")
    shown: dict[str, int] = {}
    for flaw in report.flaws:
        shown[flaw.kind] = shown.get(flaw.kind, 0) + 1
        if shown[flaw.kind] <= _SHOWN:
            print(f"{'error' if flaw.is_error else 'warning'}: {flaw}", file=sys.stderr)
    for kind, count in shown.items():
        if count > _SHOWN:
            print(f"... and {count - _SHOWN} more: {kind} (--json lists all)", file=sys.stderr)
    errors = len(report.errors)
    print(f"\n{errors} errors, {len(report.flaws) - errors} warnings")


def _print_anchors(report: "Report", architecture: str) -> None:
    """The shapes there are beside those proposed; nothing where nothing would be won."""
    if report.proposed is None:
        return
    from trainer.datasets.anchor_proposal import describe

    print(f"\nanchors of {architecture} overlap {report.anchors.share:.1%} of the objects by half;")
    share = f"{report.proposed.share:.1%}"
    print(f"made for these objects, as many would overlap {share} (--anchors FILE keeps them)")
    print("  side x ratio (width over height) at each cell, the picture's shorter side being 1")
    for number, (old, new) in enumerate(zip(report.anchors.layout.maps, report.proposed.layout.maps), 1):
        print(f"  map {number}, {old.height}x{old.width}: {describe(old.shapes)}")
        if new != old:
            print(f"  {'proposed':>{len(f'map {number}, {old.height}x{old.width}')}}: {describe(new.shapes)}")


def _print_written(written: "Written") -> None:
    print(f"{written.pictures} pictures written to {written.folder}")
    for note in written.notes:
        print(f"note: {note}", file=sys.stderr)
