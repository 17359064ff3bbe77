"""SSD7, seven small convolutions on pictures of any size, in the Keras files of all who trained one."""

from pathlib import Path
from typing import Any

from detector.anchors import AnchorLayout, AnchorMap
from detector.errors import ImportFileError
from detector.importers.keras_anchors import anchor_settings, shapes_of, variances_of
from detector.importers.keras_file import KerasFile
from detector.importers.settling import Found
from detector.model_card import ChannelOrder
from detector.networks.architectures import Preprocessing
from detector.networks.catalog import feature_map_shapes

_CONVOLUTIONS = tuple(f"conv{number}" for number in range(1, 8))
_MAPS = (4, 5, 6, 7)
_NORMALISATION = {"gamma", "beta", "moving_mean", "moving_variance"}
# layers of the port before March 2018, whose predictors do not pad their maps
_OLD_LAYERS = {"lambda1", "idendity_layer"}


def is_ssd7(file: KerasFile) -> bool:
    """Whether it has the layers of that network."""
    wanted = {f"{kind}{number}" for kind in ("classes", "boxes") for number in _MAPS}
    return wanted.union(_CONVOLUTIONS) <= set(file.arrays)


def found_ssd7(path: Path, file: KerasFile) -> Found:
    """raises  ImportFileError when a layer lacks an array"""
    weights: dict[str, Any] = {}
    for number, layer in enumerate(_CONVOLUTIONS, start=1):
        weights |= _arrays(path, file, layer, {"kernel", "bias"}, ours=layer)
        weights |= _arrays(path, file, f"bn{number}", _NORMALISATION, ours=f"{layer}_norm")
    for number in _MAPS:
        weights |= _arrays(path, file, f"classes{number}", {"kernel", "bias"}, ours=f"conv{number}_logits")
        weights |= _arrays(path, file, f"boxes{number}", {"kernel", "bias"}, ours=f"conv{number}_offsets")
    padded, whence = _pads(file)
    settings = anchor_settings(file)
    return Found(
        what="SSD7 of pierluigiferrari's port",
        architecture="ssd7",
        sources=tuple(f"conv{number}" for number in _MAPS),
        weights=weights,
        options={"padded_predictors": padded},
        layout=_layout(path, file, settings, padded),
        ported=True,
        input_size=file.input_size,
        any_size=True,
        preprocessing=_preprocessing(file),
        card=variances_of(settings),
        notes=(f"Its predictors {'pad their maps' if padded else 'do not pad their maps'}: {whence}.",),
    )


def _arrays(path: Path, file: KerasFile, layer: str, wanted: set[str], *, ours: str) -> dict[str, Any]:
    arrays = file.arrays.get(layer, {})
    if set(arrays) != wanted:
        raise ImportFileError(
            f"{path.name} is an SSD7, but its layer {layer} has not {', '.join(sorted(wanted))}."
        )
    return {f"{ours}/{variable}": array for variable, array in arrays.items()}


def _pads(file: KerasFile) -> tuple[bool, str]:
    """Whether predictors see beyond the border of their map, and how that is known."""
    if said := file.config.get("boxes4", {}).get("padding"):
        return said == "same", "its description says so"
    if _OLD_LAYERS.intersection(file.layers):
        return False, "so it was in the port before 2018, whose layers it has"
    return True, "so it is in the port since 2018, whose layers it has"


def _layout(path: Path, file: KerasFile, settings: list[dict[str, Any]], padded: bool) -> AnchorLayout | None:
    size = file.input_size
    if len(settings) != len(_MAPS) or size is None:
        return None
    if any(each.get("limit_boxes") or each.get("clip_boxes") for each in settings):
        raise ImportFileError(
            f"{path.name} clips its anchors to the picture; such an SSD7 cannot be imported."
        )
    cells = feature_map_shapes("ssd7", size, {"padded_predictors": padded})
    maps = tuple(
        AnchorMap(height=height, width=width, shapes=shapes_of(path, each))
        for (height, width), each in zip(cells, settings)
    )
    return AnchorLayout(image_size=size, maps=maps)


def _preprocessing(file: KerasFile) -> Preprocessing:
    """What its first layers do with RGB pictures; in weights alone they are there by name only."""
    normalises = {"lambda1", "input_mean_normalization"}.intersection(file.layers)
    mean = _constant(file, "input_mean_normalization", 127.5 if normalises else 0.0)
    deviation = _constant(file, "input_stddev_normalization", 127.5 if normalises else 1.0)
    order: ChannelOrder = "BGR" if "input_channel_swap" in file.layers else "RGB"
    return Preprocessing(order, (mean,) * 3, (1 / deviation,) * 3)


def _constant(file: KerasFile, layer: str, usual: float) -> float:
    """The number that the layer's function has closed over: a part of the description, which is not run."""
    function = file.config.get(layer, {}).get("function")
    if isinstance(function, list) and len(function) == 3 and isinstance(function[2], list):
        values = [value for value in function[2] if isinstance(value, (int, float)) and value > 0]
        if len(values) == 1:
            return float(values[0])
    return usual
