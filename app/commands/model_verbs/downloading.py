"""Fetch published weights and make a model of them.

  python main.py models download ssdlite320-mobilenet-v3-coco-torchvision
  python main.py models download ssd300-vgg16-voc-amdegroot --unverified --as voc

'models list' says what can be had. A file is read only when its checksum is the published one; a broken
download goes on where it broke off. Nothing but the files of that name is ever fetched.
SSD_STUDIO_CATALOG may name another list.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.commands.progress import fetched

if TYPE_CHECKING:
    from app.published.fetching import Progress

_STEP = 1_000_000  # bytes between two lines for programs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="what to fetch, as 'models list' calls it")
    parser.add_argument("--as", metavar="NAME", dest="as_name", help="what to call it here")
    parser.add_argument(
        "--unverified", action="store_true", help="take files whose checksum nobody has published"
    )
    parser.add_argument("--json", action="store_true", help="progress and result for programs, a line each")
    parser.add_argument("--force", action="store_true", help="replace a model of that name")


def run(options: argparse.Namespace) -> int:
    from app.published.bringing import bring
    from app.published.catalog import find_published

    entry = find_published(options.name)
    with _lines() if options.json else fetched(options.name) as progress:
        model, notes = bring(
            entry,
            name=options.as_name,
            unverified=options.unverified,
            force=options.force,
            progress=progress,
        )
    if options.json:
        print(json.dumps({"model": model.name, "card": str(model.card_path)}, ensure_ascii=False))
    else:
        print("\n".join((*notes, f"Saved as '{model.name}': {model.card_path}")))
    return 0


@contextmanager
def _lines() -> "Iterator[Progress]":
    """A line of JSON for each megabyte."""
    last = -_STEP

    def tell(done: int, total: int | None) -> None:
        nonlocal last
        if done < last or done >= last + _STEP or done == total:
            last = done
            print(json.dumps({"done": done, "total": total}))
            sys.stdout.flush()

    yield tell
