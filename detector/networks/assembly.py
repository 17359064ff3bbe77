"""Puts a network together: scaled pictures, feature maps, and two heads on each map."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import layers

from detector.errors import ModelError
from detector.model_card import ModelCard, Option
from detector.networks.picture_scaling import PictureScaling

FeatureMaps = Callable[..., dict[str, Any]]
Head = Callable[..., Any]


def assemble(
    card: ModelCard, feature_maps: FeatureMaps, head: Head, options: Mapping[str, Option]
) -> keras.Model:
    """The network of a card; see `detector.networks.catalog.build_network`.

    The last layers that predict from a map are called `<map>_offsets` and `<map>_logits`.
    """
    pictures = keras.Input((*card.input_size, 3), name="pictures")
    scaled = PictureScaling(card.mean, card.scale, name="picture_scaling")(pictures)
    maps = feature_maps(scaled, **options)
    _check_anchors(card, maps)
    columns = {"offsets": 4, "logits": 1 + len(card.classes)}
    answers = {
        kind: layers.Concatenate(axis=1, name=kind)(
            [
                _rows(
                    head(each, count * values, name=f"{name}_{kind}", **options),
                    values,
                    name=f"{name}_{kind}_rows",
                )
                for (name, each), count in zip(maps.items(), card.anchors.boxes_per_cell)
            ]
        )
        for kind, values in columns.items()
    }
    return keras.Model(pictures, answers, name=card.architecture.replace("-", "_"))


def map_shapes(
    feature_maps: FeatureMaps, input_size: tuple[int, int], options: Mapping[str, Option]
) -> tuple[tuple[int, int], ...]:
    """(height, width) in cells of each map for pictures of this size."""
    maps = feature_maps(keras.Input((*input_size, 3)), **options)
    return tuple((each.shape[1], each.shape[2]) for each in maps.values())


def _rows(answers: Any, values: int, *, name: str) -> Any:
    """(batch, height, width, anchors * values) -> (batch, rows, values): row, column, anchor, value."""
    return layers.Reshape((-1, values), name=name)(answers)


def _check_anchors(card: ModelCard, maps: Mapping[str, Any]) -> None:
    if card.anchors.order != "cells":
        raise ModelError(
            f"The anchors of '{card.name}' run shape by shape; the answers of a network run cell by cell."
        )
    built = tuple((each.shape[1], each.shape[2]) for each in maps.values())
    if built != card.anchors.map_shapes:
        raise ModelError(
            f"The anchors of '{card.name}' are for feature maps of {_words(card.anchors.map_shapes)}, but "
            f"{card.architecture} has {_words(built)} at {card.input_size[0]}x{card.input_size[1]} pixels; "
            "make the card anew."
        )


def _words(shapes: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(f"{height}x{width}" for height, width in shapes)
