"""Burn the boxes of a recording into a copy of it, from its sidecar; no detector runs.

  python main.py annotate porch_20260214-153000.mp4 --min-score 0.6 --record porch-boxes.mp4
  python main.py annotate walk.mp4 --lines walk.jsonl --classes person --record walk-persons.mp4

CLIP.jsonl beside CLIP.mp4 holds everything that was found, whatever its score: so a minimum score and classes
can be chosen anew, below what was shown when it was recorded too. --lines reads what 'detect --json' wrote
of the same video instead.

Exit code: 0; 1 when something could not be read or written; 130 after Ctrl-C, what was written until then is
complete and plays.
"""

import argparse
from pathlib import Path

from app.commands.amounts import from_0_to_1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("clip", metavar="CLIP.mp4", type=Path, help="a recording with its sidecar")
    add("--record", metavar="OUT.mp4", type=Path, required=True, help="the copy with boxes")
    add("--lines", metavar="BOXES.jsonl", type=Path, help="the boxes (default: CLIP.jsonl beside CLIP.mp4)")
    add(
        "--min-score", metavar="S", type=from_0_to_1, help="leave out what scores less (default: as recorded)"
    )
    add("--classes", metavar="A,B", help="only these classes, by name (default: all)")
    add("--blur", metavar="A,B", help="make objects of these classes unrecognisable")
    add("--quiet", action="store_true", help="no progress, no summary; only errors")
    add("--force", action="store_true", help="replace OUT.mp4 if it exists")


def run(options: argparse.Namespace) -> int:
    from app.commands.annotate_run import AnnotateOptions, annotate  # here: `--help` answers without them

    values = vars(options)
    for name in ("classes", "blur"):
        if values[name] is not None:
            values[name] = tuple(each.strip() for each in values[name].split(","))
    values["blur"] = values["blur"] or ()
    return annotate(AnnotateOptions(**values))
