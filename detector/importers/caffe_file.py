"""What a .caffemodel or a prototxt holds: its layers in order, with their settings and arrays."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import ImportFileError
from detector.importers.caffe_schema import net_message

_LARGEST = 2**31 - 1  # bytes of a protobuf message
_LARGEST_TEXT = 8_000_000  # bytes of a prototxt: the longest have a hundredth of it

# the types of the old form by the names that the new one gives them
_NEW_NAMES = {
    "CONVOLUTION": "Convolution",
    "INNER_PRODUCT": "InnerProduct",
    "POOLING": "Pooling",
    "RELU": "ReLU",
}


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One layer.

    kind      "Convolution", "BatchNorm", ...
    settings  its protobuf message, with the fields of `caffe_schema`
    arrays    its blobs: kernel (out, in / group, rows, columns) and bias of a convolution, ...
    """

    name: str
    kind: str
    settings: Any
    arrays: tuple[NDArray[np.float32], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """A network of Caffe.

    input_size  (height, width) in pixels; None when it does not say
    old_form    written in 2014 or before, as "layers"
    """

    name: str
    layers: tuple[Layer, ...]
    input_size: tuple[int, int] | None
    old_form: bool

    def of_kind(self, kind: str) -> list[Layer]:
        return [layer for layer in self.layers if layer.kind == kind]


def read_caffemodel(path: Path) -> Net:
    """raises  ImportFileError when it is damaged, or larger than such a file can be"""
    from google.protobuf.message import DecodeError

    if path.stat().st_size > _LARGEST:
        raise ImportFileError(f"{path.name} is larger than 2 GB, which no Caffe model can be.")
    try:
        content = path.read_bytes()
        message = net_message().FromString(content)
        if any(map(_is_empty, _blobs(message))):
            message = net_message(packed=False).FromString(content)
        return _net(message)
    except (DecodeError, ValueError) as error:
        raise ImportFileError(
            f"{path.name} is damaged or not complete ({_words(error)}); fetch it again."
        ) from error


def read_prototxt(path: Path) -> Net:
    """The network that a prototxt describes; its layers have no arrays.

    raises  ImportFileError when it cannot be read
    """
    from google.protobuf import text_format

    message = net_message()()
    try:
        if path.stat().st_size > _LARGEST_TEXT:
            raise ImportFileError(f"{path.name} is too long to describe a network.")
        text_format.Parse(path.read_text(encoding="utf-8"), message, allow_unknown_field=True)
        return _net(message)
    except OSError as error:
        raise ImportFileError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (text_format.ParseError, ValueError, RecursionError) as error:
        raise ImportFileError(f"{path.name} describes no Caffe network ({_words(error)}).") from error


def _net(message: Any) -> Net:
    layers = [_layer(each, each.type) for each in message.layer]
    old = message.DESCRIPTOR.file.enum_types_by_name["V1Type"].values_by_number
    for each in message.layers:
        name = old[each.type].name if each.type in old else str(each.type)
        layers.append(_layer(each, _NEW_NAMES.get(name, name)))
    return Net(message.name, tuple(layers), _input_size(message), bool(message.layers))


def _layer(message: Any, kind: str) -> Layer:
    return Layer(message.name, kind, message, tuple(_array(blob) for blob in message.blobs))


def _blobs(message: Any) -> Iterator[Any]:
    for layers in (message.layer, message.layers):
        for layer in layers:
            yield from layer.blobs


def _is_empty(blob: Any) -> bool:
    return not blob.data and not blob.double_data and math.prod(_shape(blob)) > 0


def _shape(blob: Any) -> tuple[int, ...]:
    """Old files give it as four numbers, with 1 in front of what has fewer sides."""
    if blob.HasField("shape"):
        return tuple(blob.shape.dim)
    return blob.num, blob.channels, blob.height, blob.width


def _array(blob: Any) -> NDArray[np.float32]:
    if blob.data and isinstance(blob.data[0], bytes):
        array = np.frombuffer(b"".join(blob.data), "<f4")
    else:
        values = blob.data or blob.double_data
        array = np.fromiter(values, np.float32, len(values))
    shape = _shape(blob)
    if min(shape, default=1) < 0 or math.prod(shape) != array.size:
        raise ValueError(f"an array of {array.size} numbers is said to be {'x'.join(map(str, shape))}")
    return array.reshape(shape)


def _input_size(message: Any) -> tuple[int, int] | None:
    shapes = [list(each.dim) for each in message.input_shape] or [list(message.input_dim)]
    for layer in message.layer:
        shapes += [list(each.dim) for each in layer.input_param.shape]
        resize = layer.transform_param.resize_param
        shapes.append([1, 3, resize.height, resize.width])
    for shape in shapes:
        if len(shape) == 4 and shape[1] == 3 and min(shape[2:]) > 0:
            return shape[2], shape[3]
    return None


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
