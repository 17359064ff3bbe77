"""See the program at work: a photograph that every installation has, wandered over as by a camera.

  python main.py demo                 in the window, where there is a display
  python main.py demo walk-through.mp4

Without a display, or with a name for it, the demo is written as a video with boxes, and its figures printed.
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("record", nargs="?", metavar="OUT.mp4", type=Path, help="write it there (default: show it)")
    add("--model", metavar="NAME", help="the model to use (default: the one that ships)")
    add("--force", action="store_true", help="replace OUT.mp4 if it exists")


def run(options: argparse.Namespace) -> int:
    """Writes the video; the window is the business of who can open one."""
    from app.commands.detect_run import DetectOptions, detect
    from app.sources import DEMO

    record = options.record or _free_name()
    return detect(DetectOptions(sources=[DEMO], model=options.model, record=record, force=options.force))


def _free_name() -> Path:
    names = (Path(f"ssd-studio-demo{number}.mp4") for number in ("", *map(str, range(2, 1000))))
    return next(name for name in names if not name.exists())
