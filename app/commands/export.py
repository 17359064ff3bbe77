"""Write a model for another runtime, with decoding and NMS inside.

  python main.py export street --format onnx
  python main.py export street --format litert --out phone --pictures photos

Makes a folder with the file and export.json, which says what goes in and comes out. What was written is
opened again in its own runtime and must find what the model finds, or nothing is kept. ONNX needs:
pip install -r requirements-export.txt
"""

import argparse
import sys
from pathlib import Path

_MOST_PICTURES = 20  # to prove it on; each takes a second in the slowest runtime


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("model", metavar="MODEL", help="a model of 'models list', or the path of a card")
    add("--format", metavar="NAME", required=True, help="onnx, saved-model, openvino or litert")
    add("--out", metavar="FOLDER", type=Path, help="where to write it (default: MODEL-FORMAT)")
    add("--pictures", metavar="FOLDER", type=Path, help="prove it on these (default: made-up ones)")
    add("--force", action="store_true", help="replace a folder that exists")


def run(options: argparse.Namespace) -> int:
    import difflib

    from app.commands.results import refuse_existing
    from detector.errors import OptionError
    from detector.exports import FORMATS, export_model
    from detector.model_store import find_model

    if options.format not in FORMATS:
        near = difflib.get_close_matches(options.format, FORMATS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"it is one of {', '.join(FORMATS)}."
        raise OptionError(f"--format cannot be '{options.format}'; {hint}")
    model = find_model(options.model)
    folder = options.out or Path(f"{model.name}-{options.format}")
    refuse_existing(folder, force=options.force)
    if folder.exists() and not (folder / "export.json").is_file():
        raise OptionError(f"{folder} is not a folder that an export made; --force does not replace it.")
    pictures = _pictures(options.pictures) if options.pictures else []
    print("This takes about half a minute.", file=sys.stderr)
    exported = export_model(model, options.format, folder, pictures=pictures)
    print(f"{exported.parity}\nWritten and proved: {exported.folder}")
    return 0


def _pictures(folder: Path) -> list[Path]:
    from app.sources.folder import files_in, is_picture
    from detector.errors import OptionError

    pictures = [path for path in files_in(folder) if is_picture(path)][:_MOST_PICTURES]
    if not pictures:
        raise OptionError(f"{folder} holds no picture.")
    return pictures
