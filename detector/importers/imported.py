"""What an importer hands on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.model_card import ModelCard


@dataclass(frozen=True, slots=True)
class Imported:
    """A foreign network as one of ours, not saved yet.

    weights  "<layer>/<variable>" -> float32 array
    notes    sentences for the person: what the file is, where the names come from, what was left out
    """

    card: ModelCard
    weights: Mapping[str, NDArray[np.float32]]
    notes: tuple[str, ...]
