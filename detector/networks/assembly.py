"""Puts a network together: scaled pictures, feature maps, and two heads on each map."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import keras
from keras import layers

from detector.errors import ModelError
from detector.model_card import ModelCard, Option
from detector.networks.picture_scaling import PictureScaling

FeatureMaps = Callable[..., dict[str, Any]]
Head = Callable[..., Any]
Cells: TypeAlias = tuple[tuple[int, int], ...]


def assemble(
    card: ModelCard, feature_maps: FeatureMaps, head: Head, options: Mapping[str, Option]
) -> keras.Model:
    """The network of a card; see `detector.networks.catalog.build_network`.

    The last layers that predict from a map are called `<map>_offsets` and `<map>_logits`.
    """
    pictures = keras.Input((*card.input_size, 3), name="pictures")
    scaled = PictureScaling(card.mean, card.scale, name="picture_scaling")(pictures)
    maps = feature_maps(scaled, **options)
    answers = {}
    for kind, values in (("offsets", 4), ("logits", 1 + len(card.classes))):
        predicted = {
            f"{name}_{kind}": head(each, count * values, name=f"{name}_{kind}", **options)
            for (name, each), count in zip(maps.items(), card.anchors.boxes_per_cell)
        }
        _check_anchors(card, _cells(predicted if len(predicted) == len(maps) else maps))
        rows = [_rows(each, values, name=f"{name}_rows") for name, each in predicted.items()]
        answers[kind] = layers.Concatenate(axis=1, name=kind)(rows)
    return keras.Model(pictures, answers, name=card.architecture.replace("-", "_"))


def map_shapes(
    feature_maps: FeatureMaps, head: Head, input_size: tuple[int, int], options: Mapping[str, Option]
) -> Cells:
    """(height, width) in cells of what is predicted from each map for pictures of this size."""
    maps = feature_maps(keras.Input((*input_size, 3)), **options)
    return _cells({name: head(each, 4, name=f"{name}_offsets", **options) for name, each in maps.items()})


def _cells(predicted: Mapping[str, Any]) -> Cells:
    return tuple((each.shape[1], each.shape[2]) for each in predicted.values())


def _rows(answers: Any, values: int, *, name: str) -> Any:
    """(batch, height, width, anchors * values) -> (batch, rows, values): row, column, anchor, value."""
    return layers.Reshape((-1, values), name=name)(answers)


def _check_anchors(card: ModelCard, built: Cells) -> None:
    if card.anchors.order != "cells":
        raise ModelError(
            f"The anchors of '{card.name}' run shape by shape; the answers of a network run cell by cell."
        )
    if built != card.anchors.map_shapes:
        raise ModelError(
            f"The anchors of '{card.name}' are for feature maps of {_words(card.anchors.map_shapes)}, but "
            f"{card.architecture} has {_words(built)} at {card.input_size[0]}x{card.input_size[1]} pixels; "
            "make the card anew."
        )


def _words(shapes: Cells) -> str:
    return ", ".join(f"{height}x{width}" for height, width in shapes)
