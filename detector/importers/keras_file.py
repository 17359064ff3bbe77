"""What an HDF5 file of Keras 1 or 2 holds: its layers with their arrays, and its description if it has one.

Nothing in it is run: a whole model may carry byte-code of Python in its description, which stays text here.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import h5py
import numpy as np
from numpy.typing import NDArray

from detector.errors import ImportFileError

Array: TypeAlias = NDArray[np.float32]

_MOST_BYTES = 2**31  # of one array, unpacked: no network here has a twentieth of it

# Keras 1 called things by a letter, after the name of the layer: conv1_1_W
_OLD_NAMES = {"W": "kernel", "b": "bias", "running_mean": "moving_mean", "running_std": "moving_variance"}


@dataclass(frozen=True, slots=True, eq=False)
class KerasFile:
    """The layers of a file in the order of its network.

    layers   all names, of layers without arrays, too
    arrays   layer -> variable ("kernel", "bias", "gamma", ...) -> array, for layers that have some
    config   the description of each layer by its name; empty when the file holds weights alone
    version  of Keras, such as "2.1.1"; "1" where it does not say
    """

    layers: tuple[str, ...]
    arrays: Mapping[str, Mapping[str, Array]]
    config: Mapping[str, Mapping[str, Any]]
    version: str

    @property
    def input_size(self) -> tuple[int, int] | None:
        """(height, width) of its pictures, if it is described and they have one."""
        for settings in self.config.values():
            shape = settings.get("batch_input_shape")
            if isinstance(shape, list) and len(shape) == 4 and isinstance(shape[1], int):
                return int(shape[1]), int(shape[2])
        return None


def read_keras(path: Path) -> KerasFile:
    """raises  ImportFileError when it is damaged, or no such file"""
    with _opened(path) as file:
        group = file.get("model_weights", file)
        names = _texts(group, "layer_names")
        if names is None:
            raise ImportFileError(f"{path.name} {_other_hdf5(file)}.")
        arrays: dict[str, dict[str, Array]] = {}
        for name in names:
            values = {
                _variable(name, stored): _array(group[name], stored)
                for stored in _texts(group[name], "weight_names") or ()
            }
            if values:
                arrays[name] = values
        return KerasFile(tuple(names), arrays, _config(file), _text(group.attrs.get("keras_version", "1")))


def shapes(path: Path) -> list[tuple[str, tuple[int, ...], str]]:
    """Name, shape and dtype of every array of an HDF5 file, without reading one.

    raises  ImportFileError when it is damaged
    """
    found: list[tuple[str, tuple[int, ...], str]] = []

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found.append((name, tuple(item.shape or ()), str(item.dtype)))

    with _opened(path) as file:
        file.visititems(visit)
    return found


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, MemoryError) as error:
        words = " ".join(str(error).split())[:200]
        raise ImportFileError(f"{path.name} is damaged or not complete ({words}); fetch it again.") from error


def _array(group: h5py.Group, name: str) -> Array:
    dataset = group[name]
    if not isinstance(dataset, h5py.Dataset) or dataset.file != group.file or dataset.is_virtual:
        raise ValueError(f"{name} is no array of this file")
    if dataset.external or dataset.nbytes > _MOST_BYTES or dataset.dtype.kind != "f":
        raise ValueError(f"{name} is no array of weights")
    return np.asarray(dataset, np.float32)


def _variable(layer: str, stored: str) -> str:
    """conv1/kernel:0, conv1_1_W:0, conv4_3_norm/conv4_3_norm_gamma:0 -> kernel, kernel, gamma"""
    name = stored.split("/")[-1].split(":")[0].removeprefix(f"{layer}_")
    return _OLD_NAMES.get(name, name)


def _config(file: h5py.File) -> dict[str, Mapping[str, Any]]:
    text = file.attrs.get("model_config")
    if text is None:
        return {}
    try:
        described = json.loads(_text(text))["config"]
        layers = described["layers"] if isinstance(described, dict) else described
        return {
            str(each["config"]["name"]): {"class_name": each["class_name"], **each["config"]}
            for each in layers
        }
    except (KeyError, RecursionError) as error:
        raise ValueError(f"its description is none of Keras: {error}") from error


def _texts(group: Any, attribute: str) -> list[str] | None:
    """A list of names; a long one is stored in parts, layer_names0, layer_names1, ..."""
    if attribute in group.attrs:
        return [_text(each) for each in group.attrs[attribute]]
    parts: list[str] = []
    index = 0
    while f"{attribute}{index}" in group.attrs:
        parts += [_text(each) for each in group.attrs[f"{attribute}{index}"]]
        index += 1
    return parts if index else None


def _text(raw: Any) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


def _other_hdf5(file: h5py.File) -> str:
    keys = set(file.keys())
    if "layers" in keys or "_layer_checkpoint_dependencies" in keys:
        return "holds weights of Keras 3 without their names; save them there as .h5 of the whole model"
    listed = ", ".join(sorted(map(str, keys))[:5]) or "nothing"
    return f"is an HDF5 file, but none of Keras: it holds {listed}"
