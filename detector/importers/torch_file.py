"""A PyTorch checkpoint of either kind: the zip archive since 1.6, and the row of pickles before it."""

import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from detector.errors import ImportFileError
from detector.importers.torch_pickle import ForbiddenNameError, Storage, Tensor, load

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # of the row of pickles
_STATE_KEYS = ("model", "state_dict", "model_state_dict", "net", "weights")
_ITEM_SIZES = {"bfloat16": 2}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state dict of a file.

    container  how it is written, in words
    tensors    by name, without the prefix "module." of a model that was trained on several GPUs
    read       gives the bytes of a storage
    """

    container: str
    tensors: Mapping[str, Tensor]
    read: Callable[[Storage], bytes]

    def array(self, name: str) -> NDArray[np.float32]:
        """raises  ValueError when the file ends too early"""
        tensor = self.tensors[name]
        storage = tensor.storage
        content = self.read(storage)
        if len(content) < storage.size * item_size(storage.dtype):
            raise ValueError(f"{name} is cut off")
        numbers = _numbers(content, storage.dtype)
        strides = [stride * numbers.itemsize for stride in tensor.strides]
        if 0 in tensor.shape:
            return np.zeros(tensor.shape, np.float32)
        part = as_strided(numbers[tensor.offset :], tensor.shape, strides, writeable=False)
        return np.array(part, np.float32, order="C")


def read_checkpoint(path: Path) -> Checkpoint:
    """The tensors of a .pth or .pt file; PyTorch is not needed and nothing in the file runs.

    raises  ImportFileError when it is damaged, wants to call something, or holds no state dict
    """
    try:
        if zipfile.is_zipfile(path):
            return _of_zip(path)
        with path.open("rb") as file:
            return _of_pickles(path, file)
    except ForbiddenNameError as name:
        raise ImportFileError(
            f"{path.name} wants to call {name}, which no file of weights needs; nothing of it was run. "
            "If you trust it, save its weights alone, in PyTorch: torch.save(model.state_dict(), FILE)."
        ) from name
    except (ValueError, KeyError, EOFError, struct.error, zipfile.BadZipFile, OSError) as error:
        raise ImportFileError(f"{path.name} is damaged or not complete ({error}); fetch it again.") from error


def item_size(dtype: str) -> int:
    """Bytes of a number."""
    return _ITEM_SIZES.get(dtype) or np.dtype(dtype).itemsize


def _of_zip(path: Path) -> Checkpoint:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        pickled = next(name for name in names if name.rpartition("/")[2] == "data.pkl")
        folder = pickled.rpartition("/")[0]
        prefix = f"{folder}/" if folder else ""
        if any(each.file_size > path.stat().st_size for each in archive.infolist()):
            raise ValueError("it is packed, which PyTorch never does")
        order = f"{prefix}byteorder"
        if order in names and archive.read(order) != b"little":
            raise ValueError("its numbers begin with their large end")
        with archive.open(pickled) as file:
            tree = load(file)  # type: ignore[arg-type]

    def read(storage: Storage) -> bytes:
        with zipfile.ZipFile(path) as archive:
            return archive.read(f"{prefix}data/{storage.key}")

    return Checkpoint("a PyTorch checkpoint (zip)", _state(tree, path), read)


def _of_pickles(path: Path, file: BinaryIO) -> Checkpoint:
    if load(file) != _MAGIC or load(file) != _PROTOCOL:
        raise ValueError("no checkpoint of PyTorch")
    system = load(file)
    if not system.get("little_endian", True):
        raise ValueError("its numbers begin with their large end")
    tree = load(file)
    tensors = _state(tree, path)
    sizes = {each.storage.key: item_size(each.storage.dtype) for each in _tensors(tree)}
    places: dict[str, tuple[int, int]] = {}
    for key in load(file):
        (count,) = struct.unpack("<q", file.read(8))
        places[str(key)] = file.tell(), count * sizes[str(key)]
        file.seek(count * sizes[str(key)], 1)

    def read(storage: Storage) -> bytes:
        start, size = places[storage.key]
        with path.open("rb") as again:
            again.seek(start)
            return again.read(size)

    return Checkpoint("a PyTorch checkpoint (before PyTorch 1.6)", tensors, read)


def _state(tree: Any, path: Path) -> dict[str, Tensor]:
    """The weights by name: the whole tree, or what it calls its model."""
    if isinstance(tree, Mapping):
        for candidate in (tree, *(tree[key] for key in _STATE_KEYS if key in tree)):
            if isinstance(candidate, Mapping):
                tensors = {str(name): each for name, each in candidate.items() if isinstance(each, Tensor)}
                if tensors:
                    return {name.removeprefix("module."): each for name, each in tensors.items()}
    raise ImportFileError(
        f"{path.name} is a PyTorch file without weights by name; save them in PyTorch with "
        "torch.save(model.state_dict(), FILE)."
    )


def _tensors(tree: Any) -> Iterator[Tensor]:
    """All tensors of a tree, an optimiser's too; each list and dict is visited once."""
    waiting, seen = [tree], set()
    while waiting:
        each = waiting.pop()
        if isinstance(each, Tensor):
            yield each
        elif isinstance(each, (Mapping, list, tuple, set)) and id(each) not in seen:
            seen.add(id(each))
            waiting += each.values() if isinstance(each, Mapping) else each


def _numbers(content: bytes, dtype: str) -> NDArray[Any]:
    if dtype != "bfloat16":
        return np.frombuffer(content, np.dtype(dtype).newbyteorder("<"))
    halves = np.frombuffer(content, "<u2").astype(np.uint32)
    return (halves << 16).view(np.float32)  # the upper half of a float32
