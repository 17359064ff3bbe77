"""What an explanation is; without Keras, so that a window can hold one."""

from dataclasses import dataclass

from detector.explain.methods import Heat


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Why an anchor says a class.

    heat        (rows, columns) float32, 0..1: what of the picture spoke for it; all 0 where nothing did
    method      a name of METHODS
    layer       the feature map that was read; "" where it was the picture itself
    anchor_id   the anchor that was asked
    anchor_map  on which of the maps that predict it stands, from 0
    """

    heat: Heat
    method: str
    layer: str
    anchor_id: int
    anchor_map: int
