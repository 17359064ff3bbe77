"""Writes files as `torch.save` does, without PyTorch: both containers, opcode by opcode."""

import pickle
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[np.float32]]


def write_zip(path: Path, state: Arrays, *, inside: str | None = None) -> Path:
    """A checkpoint as PyTorch 1.6 and later write it; `inside`: the key that the state dict stands under."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + _tree(state, inside) + b".")
        for index, array in enumerate(state.values()):
            archive.writestr(f"archive/data/{index}", array.tobytes())
        archive.writestr("archive/version", "3\n")
    return path


def write_pickles(path: Path, state: Arrays, *, inside: str | None = None) -> Path:
    """A checkpoint as PyTorch wrote it before."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"long": 8}}
    keys = [str(index) for index in range(len(state))]
    with path.open("wb") as file:
        for value in (0x1950A86A20F9469CFC6C, 1001, system):
            pickle.dump(value, file, 2)
        file.write(b"\x80\x02" + _tree(state, inside) + b".")
        pickle.dump(keys, file, 2)
        for array in state.values():
            file.write(struct.pack("<q", array.size) + array.tobytes())
    return path


def write_naming(path: Path, module: str, name: str, *arguments: str) -> Path:
    """A zip checkpoint whose pickle calls module.name with texts."""
    called = _named(module, name) + b"(" + b"".join(map(_text, arguments)) + b"tR"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}" + _text("x") + called + b"s.")
    return path


def _tree(state: Arrays, inside: str | None) -> bytes:
    items = b"".join(
        _text(name) + _tensor(str(index), array) for index, (name, array) in enumerate(state.items())
    )
    ordered = _named("collections", "OrderedDict") + b")R(" + items + b"u"
    return ordered if inside is None else b"}(" + _text("epoch") + b"K\x07" + _text(inside) + ordered + b"u"


def _tensor(key: str, array: NDArray[np.float32]) -> bytes:
    strides = [stride // array.itemsize for stride in array.strides]
    kind = {"float32": "FloatStorage", "int64": "LongStorage"}[str(array.dtype)]
    storage = b"(" + _text("storage") + _named("torch", kind) + _text(key) + _text("cpu")
    reference = storage + _number(array.size) + b"tQ"
    hooks = _named("collections", "OrderedDict") + b")R"
    places = _number(0) + _numbers(array.shape) + _numbers(strides) + b"\x89" + hooks
    return _named("torch._utils", "_rebuild_tensor_v2") + b"(" + reference + places + b"tR"


def _named(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def _text(text: str) -> bytes:
    content = text.encode()
    return b"X" + struct.pack("<I", len(content)) + content


def _number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def _numbers(values: Sequence[int]) -> bytes:
    return b"(" + b"".join(map(_number, values)) + b"t"
