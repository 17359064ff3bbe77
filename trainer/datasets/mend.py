"""What can be mended in labels without looking at the picture."""

from dataclasses import replace

from trainer.datasets.labels import ObjectLabel, PictureLabels


def mend(labels: PictureLabels, least_side: float) -> PictureLabels:
    """The labels with reversed corners swapped and repeated objects dropped.

    What lies outside or has no size cannot be mended: examining the labels leaves it out.

    least_side  see `labels.Format`
    """
    first: dict[tuple[object, ...], ObjectLabel] = {}
    for label in labels.objects:
        straight = _straight(label, least_side)
        first.setdefault((straight.name, straight.box), straight)
    return replace(labels, objects=tuple(first.values()))


def _straight(label: ObjectLabel, least_side: float) -> ObjectLabel:
    x1, y1, x2, y2 = label.box
    if x2 - x1 < least_side:
        x1, x2 = x2 - least_side, x1 + least_side  # where both corner pixels belong to the box, they still do
    if y2 - y1 < least_side:
        y1, y2 = y2 - least_side, y1 + least_side
    return replace(label, box=(x1, y1, x2, y2))
