"""The pickle inside a PyTorch checkpoint, read without PyTorch: tensors and plain containers, nothing else.

A pickle is a program that may call whatever it names. Here it may call what makes tensors, and that makes
only descriptions of them: where in which storage their numbers lie.
"""

import pickle
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, BinaryIO, NamedTuple

# dtypes by the names of PyTorch's storages; bfloat16 is not numpy's
DTYPES = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}


class ForbiddenNameError(Exception):
    """Message: what the pickle would have called, "module.name"."""


# What a pickle gets hold of must have no attributes that it could set: tuples, and objects without any.


class Storage(NamedTuple):
    """Numbers that tensors share: `size` of them, kept under `key`."""

    key: str
    dtype: str
    size: int


class Tensor(NamedTuple):
    """Part of a storage, by PyTorch's strides in numbers."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def load(file: BinaryIO) -> Any:
    """The next pickle of a file: dicts, lists, numbers and texts, with a `Tensor` for each tensor.

    raises  ForbiddenNameError before anything runs that is none of these; ValueError when it is damaged
    """
    try:
        return _Reader(file, encoding="latin-1").load()
    except ForbiddenNameError:
        raise
    except Exception as error:  # a damaged pickle raises whatever its damage looks like
        raise ValueError(f"a pickle that cannot be read: {error}") from error


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in DTYPES:
            return _StorageKind(DTYPES[name])
        if (module, name) in _ADMITTED:
            return _ADMITTED[module, name]
        raise ForbiddenNameError(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Storage:
        kind, storage_kind, key, _, count = pid[:5]
        if kind != "storage" or not isinstance(storage_kind, _StorageKind) or not isinstance(count, int):
            raise ValueError(f"a reference to {kind!r}, not to a storage")
        return Storage(str(key), storage_kind.dtype, count)


class _StorageKind(NamedTuple):
    dtype: str


class _MakeTensor:
    __slots__ = ()

    def __call__(
        self, storage: Any, offset: Any, shape: Sequence[Any], strides: Sequence[Any], *_: Any
    ) -> Tensor:
        if not isinstance(storage, Storage):
            raise ValueError("a tensor without a storage")
        tensor = Tensor(storage, int(offset), tuple(map(int, shape)), tuple(map(int, strides)))
        if not _lies_inside(tensor):
            raise ValueError("a tensor that is larger than its storage")
        return tensor


class _MakeParameter:
    __slots__ = ()

    def __call__(self, tensor: Any, *_: Any) -> Tensor:
        if not isinstance(tensor, Tensor):
            raise ValueError("a parameter without a tensor")
        return tensor


_ADMITTED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "Counter"): dict,  # the milestones of a learning rate
    ("torch", "Size"): tuple,
    ("torch._utils", "_rebuild_tensor"): _MakeTensor(),
    ("torch._utils", "_rebuild_tensor_v2"): _MakeTensor(),
    ("torch._utils", "_rebuild_parameter"): _MakeParameter(),
}


def _lies_inside(tensor: Tensor) -> bool:
    if len(tensor.shape) != len(tensor.strides) or min((tensor.offset, *tensor.shape, *tensor.strides)) < 0:
        return False
    if 0 in tensor.shape:
        return True
    count, last = 1, tensor.offset
    for size, stride in zip(tensor.shape, tensor.strides):
        count *= size
        last += (size - 1) * stride
    return last < tensor.storage.size and count <= tensor.storage.size
