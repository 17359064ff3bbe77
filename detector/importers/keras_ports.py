"""SSDs out of Keras files: pierluigiferrari's and rykov8's ports, which kept Caffe's names, and SSD7."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detector.errors import ImportFileError
from detector.importers.caffe_names import Plan, find_plan, is_vgg_backbone
from detector.importers.imported import Imported
from detector.importers.inspection import Array, Inspection
from detector.importers.keras_anchors import described_anchors
from detector.importers.keras_file import KerasFile, read_keras, shapes
from detector.importers.keras_ssd7 import found_ssd7, is_ssd7
from detector.importers.said import Said
from detector.importers.settling import Found, settle

_RYKOV8, _PIERLUIGIFERRARI = "rykov8's port", "pierluigiferrari's port"


def import_keras(path: Path, *, name: str, said: Said) -> Imported:
    """The SSD of an .h5 or .hdf5 file of Keras 1 or 2: weights alone, or a whole model.

    raises  ImportFileError when it is damaged, another network, or not what the person says
    """
    return settle(path, _found(path, read_keras(path)), name=name, said=said)


def inspect_keras(path: Path) -> Inspection:
    """raises  ImportFileError when it is damaged"""
    arrays = [Array(*each) for each in shapes(path)]
    try:
        file = read_keras(path)
    except ImportFileError as reason:
        return Inspection("an HDF5 file", arrays, str(reason))
    container = f"a Keras {file.version} file, {'a whole model' if file.config else 'weights alone'}"
    try:
        words = f"It looks like {_found(path, file).what}."
    except ImportFileError as reason:
        words = str(reason)
    return Inspection(container, arrays, words)


def _found(path: Path, file: KerasFile) -> Found:
    try:
        return _recognised(path, file)
    except (ValueError, TypeError, KeyError, IndexError) as error:  # of a description that somebody changed
        raise ImportFileError(f"{path.name} describes its network badly: {error}.") from error


def _recognised(path: Path, file: KerasFile) -> Found:
    if is_ssd7(file):
        return found_ssd7(path, file)
    plan = find_plan(file.arrays)
    if plan is not None and plan.architecture != "ssd300-mobilenet-v1-caffe":
        return _on_vgg(path, file, plan)
    if is_vgg_backbone(file.arrays):
        raise ImportFileError(
            f"{path.name} is VGG16 with reduced fc6 and fc7, a backbone that predicts nothing by itself; "
            f"start a training from it: train --architecture ssd300-vgg16 --backbone-weights {path.name}."
        )
    raise ImportFileError(
        f"{path.name} is a Keras network of {len(file.arrays)} layers with weights "
        f"({', '.join(list(file.arrays)[:3])} …); the SSDs that can be imported are those of "
        "pierluigiferrari (SSD300, SSD512, SSD7) and rykov8 (SSD300), whose layers have other names. "
        "If it is a backbone, a training can start from it: train --backbone-weights."
    )


def _on_vgg(path: Path, file: KerasFile, plan: Plan) -> Found:
    weights: dict[str, Any] = {}
    for theirs, arrays in file.arrays.items():
        if (ours := plan.ours(theirs)) is None:
            raise ImportFileError(f"{path.name} has a layer that {plan.what} has not: {theirs}.")
        if "gamma" in arrays:
            weights[f"{ours}/scale"] = arrays["gamma"].reshape(-1)
            continue
        if set(arrays) != {"kernel", "bias"}:
            raise ImportFileError(
                f"{path.name}: {theirs} has {', '.join(arrays)} instead of kernel and bias."
            )
        weights |= {f"{ours}/{variable}": _four_sides(array) for variable, array in arrays.items()}
    _check_order(path, weights)
    anchors = described_anchors(path, file, plan)
    port = _RYKOV8 if plan.architecture == "ssd300-vgg16-v1" else _PIERLUIGIFERRARI
    return Found(
        what=f"{plan.what}, {port} to Keras",
        architecture=plan.architecture,
        sources=plan.sources,
        weights=weights,
        layout=anchors.layout,
        ported=True,
        input_size=file.input_size,
        card=anchors.card,
    )


def _four_sides(array: Any) -> Any:
    """A fully connected layer on the mean of a map is a 1x1 convolution of it."""
    return array[None, None] if array.ndim == 2 else array


def _check_order(path: Path, weights: Mapping[str, Any]) -> None:
    shape = weights["conv1_1/kernel"].shape if "conv1_1/kernel" in weights else ()
    if shape == (64, 3, 3, 3):
        raise ImportFileError(
            f"{path.name} has its kernels in Theano's order (out, in, rows, columns); "
            "convert it with Keras 1 and image_dim_ordering 'tf' first."
        )
    if shape != (3, 3, 3, 64):
        raise ImportFileError(
            f"{path.name} is no VGG16: its first kernel is {'x'.join(map(str, shape))}, not 3x3x3x64."
        )
