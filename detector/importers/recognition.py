"""What kind of file this is, by its content; its name plays no part."""

import zipfile
from enum import Enum, auto
from pathlib import Path

from detector.errors import ImportFileError
from detector.importers.wire import top_level_fields


class Kind(Enum):
    """The ways in which weights are written."""

    TFLITE = auto()
    HDF5 = auto()
    CAFFEMODEL = auto()
    PROTOTXT = auto()
    FROZEN_GRAPH = auto()
    GRAPH_MODEL = auto()  # model.json of TensorFlow.js
    TORCH = auto()  # a checkpoint, zip or legacy
    PICKLE = auto()
    KERAS_ARCHIVE = auto()  # .keras of Keras 3
    NUMPY = auto()
    ONNX = auto()
    ARCHIVE = auto()  # packed files of any kind
    UNKNOWN = auto()


_HDF5 = b"\x89HDF\r\n\x1a\n"
_TORCH_LEGACY = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"  # PyTorch's magic number, pickled
_ARCHIVES = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!")
_OLD_PICKLES = (b"(dp", b"(lp", b"}q", b"]q", b"cnumpy", b"ccopy_reg", b"c__builtin__")  # of Python 2: text
# field numbers at the top of a network: Caffe's NetParameter, TensorFlow's GraphDef
_CAFFE_FIELDS = {1, 2, 3, 4, 5, 6, 7, 8, 100}
_GRAPH_FIELDS = {1, 2, 3, 4, 5}


def recognise(path: Path) -> Kind:
    """raises  ImportFileError when the file cannot be read or is empty"""
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise ImportFileError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not start:
        raise ImportFileError(f"{path.name} is empty.")
    if start[4:8] == b"TFL3":
        return Kind.TFLITE
    if start.startswith(_HDF5):
        return Kind.HDF5
    if start.startswith(b"\x93NUMPY"):
        return Kind.NUMPY
    if start.startswith(b"PK\x03\x04"):
        return _of_zip(path)
    if start[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        return Kind.TORCH if start[2:14] == _TORCH_LEGACY else Kind.PICKLE
    if start.startswith(_ARCHIVES) or start[257:262] == b"ustar":
        return Kind.ARCHIVE
    if start.startswith(_OLD_PICKLES):
        return Kind.PICKLE
    return _of_text(start) or _of_protobuf(path)


def _of_zip(path: Path) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ImportFileError(
            f"{path.name} is a zip archive that is damaged or not complete: {error}."
        ) from error
    if any(name.endswith("data.pkl") for name in names):
        return Kind.TORCH
    if "model.weights.h5" in names:
        return Kind.KERAS_ARCHIVE
    return Kind.ARCHIVE


def _of_text(start: bytes) -> Kind | None:
    """A model.json, by its keys, or a prototxt: text that begins as Caffe's descriptions of networks do."""
    if start.lstrip().startswith(b"{") and (b'"modelTopology"' in start or b'"weightsManifest"' in start):
        return Kind.GRAPH_MODEL
    try:
        words = start.decode("utf-8", "strict" if len(start) < 4096 else "ignore").split()
    except UnicodeDecodeError:
        return None
    if b"\0" in start:
        return None
    keys = {
        "name:",
        "layer",
        "layers",
        "input:",
        "input_dim:",
        "input_shape",
        "layer{",
        "layers{",
        "input_shape{",
    }
    return Kind.PROTOTXT if any(word in keys for word in words) and "{" in "".join(words) else None


def _of_protobuf(path: Path) -> Kind:
    fields = top_level_fields(path)
    if fields is None:
        return Kind.UNKNOWN
    numbers = {number for number, _ in fields}
    if (100 in numbers or 2 in numbers) and numbers <= _CAFFE_FIELDS and _count(fields, 1) <= 1:
        return Kind.CAFFEMODEL
    if _count(fields, 1) >= 1 and numbers <= _GRAPH_FIELDS and all(w == 2 for n, w in fields if n == 1):
        return Kind.FROZEN_GRAPH
    if 7 in numbers and (1, 0) in fields:  # graph and ir_version
        return Kind.ONNX
    return Kind.UNKNOWN


def _count(fields: list[tuple[int, int]], number: int) -> int:
    return sum(1 for each, _ in fields if each == number)
