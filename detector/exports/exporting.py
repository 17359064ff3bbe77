"""A model written in a format, run again, and only then there."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from detector.engines.child_process import ChildFailedError, run_child
from detector.errors import ExportError
from detector.exports.detecting import FLOOR
from detector.exports.formats import FORMATS as _FORMATS
from detector.exports.parity import Parity
from detector.model_store import Model

__all__ = ["FORMATS", "Exported", "export_model"]

FORMATS = tuple(_FORMATS)


@dataclass(frozen=True, slots=True)
class Exported:
    """folder  holds the file or files, and export.json: how to use them, and how they were proved"""

    folder: Path
    parity: Parity


def export_model(model: Model, format_name: str, folder: Path, *, pictures: Sequence[Path] = ()) -> Exported:
    """Writes a model for another runtime, with decoding and NMS inside; takes half a minute.

    format_name  one of FORMATS
    folder       to be made; one that exists is replaced, once the new one has been proved
    pictures     to prove it on; default: made-up ones
    raises       ExportError when packages are missing, the converter fails, or the file answers otherwise
                 than the model does: then nothing is left of it
    """
    for package in _FORMATS[format_name].needs:
        if find_spec(package) is None:
            raise ExportError(
                f"Exporting to {format_name} takes {package}: pip install -r requirements-export.txt"
            )
    said: list[str] = []
    request = {
        "card": model.card.to_json(),
        "format": format_name,
        "pictures": [str(path.absolute()) for path in pictures],
    }
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as room:
            made = Path(room) / "made"
            made.mkdir()
            arguments = (str(model.folder.absolute()), str(made.absolute()))
            run_child("detector.exports.convert", *arguments, request=request, heard=said.append)
            parity = Parity(**json.loads(next(line for line in reversed(said) if line.startswith("{"))))
            if not parity.holds:
                raise ExportError(
                    f"The {format_name} file of '{model.name}' answers otherwise than the model: {parity}. "
                    "It was not kept."
                    + ("" if parity.detections else " Name --pictures on which it finds something.")
                )
            (made / "export.json").write_text(_description(model, format_name, parity), encoding="utf-8")
            if folder.exists():
                shutil.rmtree(folder)
            made.rename(folder)
    except ChildFailedError as error:
        raise ExportError(
            f"The model '{model.name}' could not be exported to {format_name}: {error}"
        ) from error
    except OSError as error:
        raise ExportError(f"{folder} cannot be written: {error.strerror or error}.") from error
    return Exported(folder, parity)


def _description(model: Model, format_name: str, parity: Parity) -> str:
    card, (height, width) = model.card, model.card.input_size
    chosen = _FORMATS[format_name]
    made_with = ("tensorflow", "keras", "openvino", *chosen.needs)
    rows = f"n = {card.max_detections}, the best first; past 'count' they are padding"
    content = {
        "model": card.name,
        "weights_sha256": card.weights_sha256,
        "format": format_name,
        "file": f"{card.name}{chosen.ending}",
        "input": {
            "pictures": f"(1, {height}, {width}, 3) uint8, {card.channel_order}, stretched to this size"
        },
        "output": {
            "boxes": f"(1, n, 4) float32, x1, y1, x2, y2, fractions of the picture; {rows}",
            "scores": f"(1, n) float32, those above {FLOOR:g}",
            "class_ids": "(1, n) int32, index into 'classes'; padding is -1",
            "count": "(1,) int32, how many are real",
        },
        "nms_iou": card.nms_iou,
        "min_score": card.min_score,
        "classes": list(card.classes),
        "licence": card.licence,
        "origin": card.origin,
        "parity": asdict(parity),
        "made_with": {package: version(package) for package in made_with},
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
