"""D-RISE: hide random parts of the picture, and see how much of a detection is left. The slow oracle."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.boxes import iou_matrix
from detector.explain.methods import Heat
from detector.values import Boxes, Pixels, Scores

# pictures (n, height, width, 3) uint8 -> boxes (n, A, 4), scores (n, A, classes)
Detect: TypeAlias = Callable[[Pixels], tuple[Boxes, Scores]]

_MASKS = 1000  # the paper takes 5000; the order of places settles long before
_CELLS = 16
_KEPT = 0.5  # of the cells
_BATCH = 8


def by_random_masks(
    picture: Pixels,
    detect: Detect,
    anchor_id: int,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Heat:
    """How much each place helps the detection of an anchor.

    picture   (height, width, 3) uint8, of the size the network takes
    progress  called with the number of masks done, and of all
    returns   (height, width) float32
    source    D-RISE (Petsiuk et al. 2021); an SSD has no objectness, its boxes count by class scores alone
    """
    boxes, scores = (each[0] for each in detect(picture[None]))
    box, wanted = boxes[anchor_id : anchor_id + 1], scores[anchor_id]
    random = np.random.default_rng(0)  # the same picture, the same map
    heat, shown = np.zeros(picture.shape[:2]), np.zeros(picture.shape[:2])
    for start in range(0, _MASKS, _BATCH):
        masks = np.stack(list(_masks(random, min(_BATCH, _MASKS - start), picture.shape[:2])))
        boxes, scores = detect((picture * masks[..., None]).astype(np.uint8))
        for mask, its_boxes, its_scores in zip(masks, boxes, scores):
            heat += mask * _likeness(box, wanted, its_boxes, its_scores)
            shown += mask
        progress(min(start + _BATCH, _MASKS), _MASKS)
    heat /= np.maximum(shown, 1)
    return np.asarray(heat - heat.min(), np.float32)  # what helps nowhere still has a mean likeness


def _masks(random: np.random.Generator, count: int, size: tuple[int, int]) -> Iterator[NDArray[np.float32]]:
    """Coarse grids of 0 and 1, drawn large and shifted by parts of a cell: no edge is always in one place."""
    height, width = size
    rows, columns = -(-height // _CELLS), -(-width // _CELLS)
    for _ in range(count):
        grid = (random.random((_CELLS + 1, _CELLS + 1)) < _KEPT).astype(np.float32)
        large = cv2.resize(grid, (columns * (_CELLS + 1), rows * (_CELLS + 1)))
        y, x = random.integers(rows), random.integers(columns)
        yield np.asarray(large[y : y + height, x : x + width], np.float32)


def _likeness(box: Boxes, wanted: Scores, boxes: Boxes, scores: Scores) -> float:
    """Of the most alike answer: overlap times cosine of the class scores times the best score."""
    near = np.flatnonzero((overlap := iou_matrix(box, boxes)[0]) > 0)
    if not len(near):
        return 0.0
    lengths = np.linalg.norm(wanted) * np.linalg.norm(scores[near], axis=1)
    cosine = scores[near] @ wanted / np.maximum(lengths, np.finfo(np.float32).tiny)
    return float((overlap[near] * cosine * scores[near].max(axis=1)).max())
