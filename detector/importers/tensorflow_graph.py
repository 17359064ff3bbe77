"""What a frozen graph of TensorFlow 1 holds: its operations by name, and its constants as arrays.

Read through the few fields of the format that are needed; TensorFlow itself is not loaded.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import ImportFileError
from detector.importers.protobuf_schema import Messages, message_class

_LARGEST = 2**31 - 1  # bytes of a protobuf message

# source: graph.proto, node_def.proto, attr_value.proto, tensor.proto and tensor_shape.proto of TensorFlow
_MESSAGES: Messages = {
    "Graph": {"node": (1, "Node*")},
    "Node": {
        "name": (1, "string"),
        "op": (2, "string"),
        "input": (3, "string*"),
        "attributes": (5, "Attribute*"),
    },
    "Attribute": {"key": (1, "string"), "value": (2, "Value")},
    "Value": {"tensor": (8, "Tensor")},
    "Tensor": {
        "dtype": (1, "int32"),
        "shape": (2, "Shape"),
        "content": (4, "bytes"),
        "floats": (5, "float#"),
        "integers": (7, "int32#"),
    },
    "Shape": {"dim": (2, "Side*")},
    "Side": {"size": (1, "int64")},
}
_DTYPES = {
    1: np.float32,
    2: np.float64,
    3: np.int32,
    4: np.uint8,
    9: np.int64,
    10: np.bool_,
    12: np.uint8,
    19: np.float16,
}


@dataclass(frozen=True, slots=True, eq=False)
class FrozenGraph:
    """operations  kind ("Conv2D", "Const", ...) of each by its name
    constants   by name; those whose kind numpy has
    """

    operations: Mapping[str, str]
    constants: Mapping[str, NDArray[Any]]


def read_frozen_graph(path: Path) -> FrozenGraph:
    """raises  ImportFileError when it is damaged"""
    from google.protobuf.message import DecodeError

    if path.stat().st_size > _LARGEST:
        raise ImportFileError(f"{path.name} is larger than 2 GB, which no frozen graph can be.")
    try:
        graph = _graph_message().FromString(path.read_bytes())
        constants = {}
        for node in graph.node:
            if node.op == "Const":
                array = _constant(node)
                if array is not None:
                    constants[node.name] = array
        return FrozenGraph({node.name: node.op for node in graph.node}, constants)
    except (DecodeError, ValueError) as error:
        words = " ".join(str(error).split())[:200]
        raise ImportFileError(f"{path.name} is damaged or not complete ({words}); fetch it again.") from error


@cache
def _graph_message() -> type[Any]:
    return message_class("ssd_studio_tensorflow", _MESSAGES, {}, "Graph")


def _constant(node: Any) -> NDArray[Any] | None:
    """None for text and other kinds that no weights have. A single number may stand for all."""
    tensor = next((each.value.tensor for each in node.attributes if each.key == "value"), None)
    if tensor is None or tensor.dtype not in _DTYPES:
        return None
    dtype = np.dtype(_DTYPES[tensor.dtype])
    shape = tuple(side.size for side in tensor.shape.dim)
    size = math.prod(shape)
    values: Any = (
        np.frombuffer(tensor.content, dtype)
        if tensor.content
        else np.array([*tensor.floats, *tensor.integers])
    )
    if min(shape, default=1) < 0 or (values.size != size and (values.size != 1 or size > 1_000_000)):
        raise ValueError(f"{node.name} has {values.size} numbers, not {'x'.join(map(str, shape))}")
    return (
        np.broadcast_to(values.astype(dtype), shape)
        if values.size != size
        else values.astype(dtype).reshape(shape)
    )
