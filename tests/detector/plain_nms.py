"""NMS written out as plain loops: slow, obvious, the oracle of both real ones."""

import numpy as np


def float32_iou(a, b) -> np.float32:
    """Every step rounded to float32, as the rules are stated."""
    zero = np.float32(0)

    def area(x1, y1, x2, y2):
        return max(x2 - x1, zero) * max(y2 - y1, zero)

    common = area(max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))
    union = area(*a) + area(*b) - common
    return common / union if union > 0 else zero


def plain_nms(boxes, scores, class_ids, nms_iou) -> list[int]:
    """Indices of the kept boxes, highest score first."""
    kept: list[int] = []
    for index in sorted(range(len(scores)), key=lambda i: (-scores[i], i)):
        rivals = [other for other in kept if class_ids[other] == class_ids[index]]
        if all(float32_iou(boxes[index], boxes[other]) <= np.float32(nms_iou) for other in rivals):
            kept.append(index)
    return kept


def plain_candidates(scores, floor, limit) -> list[tuple[int, int]]:
    """(anchor, class) of the best scores above the floor; equal ones by anchor, then class."""
    least = np.float32(floor)
    pairs = [(a, c) for a, row in enumerate(scores) for c, score in enumerate(row) if score > least]
    return sorted(pairs, key=lambda pair: (-scores[pair], pair))[:limit]
