"""The 8-bit version of a model: a graph beside its weights, since no weights alone can make it again.

It was made from pictures (`quantise`), so it belongs to the model, not to the cache; the card has its sha256.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from detector.engines.graph_file import DamagedGraphError, Graph, read_graph, write_graph
from detector.errors import EngineError, ModelError
from detector.model_store import Model, rewrite_card


def save_int8(model: Model, graph: Graph, measured: Mapping[str, Any]) -> Model:
    """The model with this 8-bit version, in place of an earlier one.

    measured  what was measured of it and on what; in the card under "int8"
    raises    ModelError when the disk refuses
    """
    try:
        write_graph(model.int8_path, graph)
        digest = _sha256(model.int8_path)
    except OSError as error:
        raise ModelError(f"{model.int8_path} cannot be written: {error.strerror or error}.") from error
    of_all = {**model.card.measured, "int8": dict(measured)}
    return rewrite_card(model, replace(model.card, int8_sha256=digest, measured=of_all))


def require_int8(model: Model) -> None:
    """raises  EngineError when the card of the model speaks of no 8-bit version"""
    if not model.card.int8_sha256:
        raise EngineError(
            f"The model '{model.name}' has no int8 version; choose --precision auto, or make one with "
            f"'python main.py models quantise {model.name} --data FOLDER'."
        )


def read_int8(model: Model) -> Graph:
    """The graph as it was saved.

    raises  EngineError when the model has none, or it is missing, damaged or another
    """
    require_int8(model)
    again = f"make it again with 'python main.py models quantise {model.name} --data FOLDER'."
    try:
        graph = read_graph(model.int8_path)
        if _sha256(model.int8_path) != model.card.int8_sha256:
            raise DamagedGraphError("it is not the one the card speaks of")
    except FileNotFoundError:
        raise EngineError(f"{model.int8_path} is missing; {again}") from None
    except (DamagedGraphError, OSError) as error:
        raise EngineError(f"{model.int8_path} cannot be used ({error}); {again}") from error
    return graph


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
