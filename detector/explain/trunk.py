"""Which layers an anchor's answer comes through, read from the graph of any network."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import keras

from detector.errors import OptionError

# Cells along the longer side from which a map shows places. Maps of 19 look tidier, but by then a cell speaks
# for its surroundings too: in MobileNet v1, hiding what is warm lowers only 78 of 100 scores faster than
# hiding by chance does (38 cells: 93; tests/oracles/test_explanations.py).
_FINE = 32


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """What a layer gives: its name, and its size in cells."""

    layer: str
    rows: int
    columns: int


Trunk: TypeAlias = tuple[FeatureMap, ...]


def trunks(network: keras.Model) -> tuple[Trunk, ...]:
    """For each map that predicts, the layers between the picture and its heads, from the picture on.

    Other layers have no part in what an anchor of that map says: their gradient is exactly zero. Layers that
    only the logits or only the offsets come through belong to the heads.
    """
    heads = zip(*(network.get_layer(kind).input for kind in ("logits", "offsets")))
    return tuple(_shared(network, *pair) for pair in heads)


def default_map(trunk: Trunk) -> FeatureMap:
    """The deepest layer that still shows places: what is known there is the most that can be shown.

    Not the map that predicts: a head sees one cell of it, or three by three, and the answer would only say
    where the anchor stands.
    """
    last = trunk[-1]
    finer = [each for each in trunk if each.rows * each.columns > last.rows * last.columns]
    fine = [each for each in finer if max(each.rows, each.columns) >= _FINE]
    return (fine or finer or trunk)[-1]


def find_map(trunk: Trunk, layer: str) -> FeatureMap:
    """The map of this name.

    raises  OptionError with what there is instead
    """
    found = next((each for each in trunk if each.layer == layer), None)
    if found is not None:
        return found
    near = difflib.get_close_matches(layer, [each.layer for each in trunk], n=1)
    deepest = ", ".join(f"{each.layer} ({each.rows}x{each.columns})" for each in last_of_each_size(trunk))
    hint = f"did you mean '{near[0]}'?" if near else f"there are {deepest}."
    raise OptionError(f"The anchor's answer does not come through a layer '{layer}'; {hint}")


def last_of_each_size(trunk: Trunk) -> Trunk:
    """The deepest layer of every size, finest first."""
    sizes: dict[tuple[int, int], FeatureMap] = {}
    for each in trunk:
        sizes[each.rows, each.columns] = each
    return tuple(sizes.values())


def _shared(network: keras.Model, logits: object, offsets: object) -> Trunk:
    ours, theirs = (keras.Model(network.input, each).layers for each in (logits, offsets))
    names = {layer.name for layer in theirs}
    inputs = {each.name for each in network.inputs}
    maps: Sequence[keras.layers.Layer] = [
        each for each in ours if each.name in names - inputs and len(each.output.shape) == 4
    ]
    return tuple(FeatureMap(each.name, *each.output.shape[1:3]) for each in maps)
