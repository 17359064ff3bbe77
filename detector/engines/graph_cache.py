"""Models converted for OpenVINO, kept on disk: the first use of a model converts it, later ones load it."""

import hashlib
import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import detector
from detector.engines.child_process import ChildFailedError, run_child
from detector.engines.graph_file import DamagedGraphError, Graph, read_graph
from detector.errors import EngineError
from detector.model_store import Model
from detector.places import cache_folder

logger = logging.getLogger(__name__)

_ROOM = Path(detector.__file__).parent
_KEPT_UNUSED = 90 * 86400.0  # seconds
# What in a card does not shape the graph: these may change without a new conversion.
_OUTSIDE_THE_GRAPH = {
    "name", "variances", "channel_order", "min_score", "nms_iou", "max_detections",
    "licence", "origin", "measured", "int8_sha256",
}  # fmt: skip


def cached_graph(
    model: Model,
    *,
    precision: str,
    openvino_version: str,
    notify: Callable[[str], None],
    wanted: Callable[[], bool] = lambda: True,
) -> Graph:
    """The graph of a model, converted first where it must be.

    precision  of the graph's numbers, "float32". bfloat16 shares that file: OpenVINO rounds when it compiles
    notify     is given a sentence before a conversion, since it takes about ten seconds
    wanted     asked while it converts: False ends the conversion at once
    raises     EngineError when the conversion fails or is not wanted any more

    Several processes may come at once: each that finds no graph converts, and the last file stands.
    """
    path = graph_path(model, precision=precision, openvino_version=openvino_version)
    try:
        graph = read_graph(path)
        with suppress(OSError):
            path.touch()  # `_forget` looks at it
        return graph
    except FileNotFoundError:
        notify(f"Preparing the model '{model.name}' for OpenVINO; this takes about ten seconds, once.")
    except (DamagedGraphError, OSError) as error:
        logger.warning("%s is damaged (%s) and is made again", path, error)
        notify(f"Preparing the model '{model.name}' for OpenVINO again: what was kept on disk is damaged.")
    _convert(model, path, wanted)
    try:
        return read_graph(path)
    except (DamagedGraphError, OSError) as error:
        raise EngineError(
            f"{path} was just written and cannot be read ({error}); is the disk all right?"
        ) from error


def graph_path(model: Model, *, precision: str, openvino_version: str) -> Path:
    """Where the graph of a model lies: all that shapes it is in the name."""
    card = {name: value for name, value in model.card.to_json().items() if name not in _OUTSIDE_THE_GRAPH}
    card["classes"] = len(model.card.classes)
    # The code that builds networks too: after an update of the program a graph may be another.
    engines = _ROOM / "engines"
    code = [*sorted((_ROOM / "networks").glob("*.py")), engines / "convert.py", engines / "exact_layers.py"]
    parts = [
        model.card.weights_sha256[:16],
        _digest([json.dumps(card, sort_keys=True).encode()]),
        precision,
        _digest([path.read_bytes() for path in code]),
        f"openvino-{openvino_version}",
    ]
    return cache_folder() / "openvino" / ("-".join(parts) + ".graph")


def _digest(pieces: list[bytes]) -> str:
    return hashlib.sha256(b"".join(pieces)).hexdigest()[:8]


def _convert(model: Model, path: Path, wanted: Callable[[], bool]) -> None:
    arguments = (str(model.folder.absolute()), str(path))
    try:
        run_child("detector.engines.convert", *arguments, request=model.card.to_json(), wanted=wanted)
    except ChildFailedError as error:
        raise EngineError(f"The model '{model.name}' could not be converted for OpenVINO: {error}") from error
    _forget(path)


def _forget(path: Path) -> None:
    """Removes what the same model was converted to by other versions, and what nobody has used for long.

    An SSD300 takes 105 MB each time, and every training makes a model with another graph.
    """
    same_model = "-".join(path.name.split("-")[:3]) + "-"
    for other in path.parent.glob("*.graph"):
        with suppress(OSError):  # it may just have been removed by another process
            unused = time.time() - other.stat().st_mtime > _KEPT_UNUSED
            if other != path and (unused or other.name.startswith(same_model)):
                other.unlink()
