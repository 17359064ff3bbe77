"""Look into somebody else's file of weights.

  python main.py models inspect RFB-320.caffemodel

Prints every array with its shape, and what the file looks like. Nothing is imported, and nothing in it runs.
"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.commands.model_verbs.words import table

if TYPE_CHECKING:
    from detector.importers import Inspection


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="the file of weights")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> int:
    from detector.importers import inspect_file

    found = inspect_file(options.file)
    if options.json:
        print(json.dumps(_fields(found), indent=2, ensure_ascii=False))
        return 0
    rows = [(each.name, "x".join(map(str, each.shape)) or "one number", each.dtype) for each in found.arrays]
    if rows:
        print("\n".join(table([("array", "shape", "kind"), *rows])))
    print(f"{options.file.name} is {found.container}: {len(rows)} arrays, {found.numbers:,} numbers.")
    print(found.looks_like)
    return 0


def _fields(found: "Inspection") -> dict[str, Any]:
    return {
        "container": found.container,
        "looks_like": found.looks_like,
        "numbers": found.numbers,
        "arrays": [
            {"name": each.name, "shape": list(each.shape), "dtype": each.dtype} for each in found.arrays
        ],
    }
