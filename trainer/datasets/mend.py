"""What can be mended in labels without looking at what a picture shows."""

from dataclasses import replace

from detector.errors import SourceError
from detector.pictures import read_header
from trainer.datasets.example import Flaw
from trainer.datasets.labels import ObjectLabel, PictureLabels


def mend(labels: PictureLabels, least_side: float) -> PictureLabels:
    """The labels with reversed corners swapped, repeated objects dropped and boxes scaled to their picture.

    What lies outside or has no size cannot be mended: examining the labels leaves it out.

    least_side  see `labels.Format`
    returns     in `flaws` also what was mended, of the kinds "swapped", "dropped" and "scaled"
    """
    first: dict[tuple[object, ...], ObjectLabel] = {}
    mended = []
    for label in labels.objects:
        straight = _straight(label, least_side)
        kept = first.setdefault((straight.name, straight.box), straight)
        if straight.box != label.box:
            mended.append(_mended("swapped", labels, label.number, "had its corners the wrong way round"))
        if kept is not straight:
            mended.append(_mended("dropped", labels, label.number, f"repeated object {kept.number}"))
    return _scaled(replace(labels, objects=tuple(first.values()), flaws=(*labels.flaws, *mended)), least_side)


def _scaled(labels: PictureLabels, least_side: float) -> PictureLabels:
    """Boxes that were drawn before the picture was made smaller or larger, on the picture as it is.

    A stated size tells it that has the picture's shape and holds all boxes; any other may itself be wrong.
    """
    size = _size_now(labels)
    if size is None or labels.size is None:
        return labels
    height, width = labels.size
    y, x = size[0] / height, size[1] / width
    mended = _mended("scaled", labels, None, f"was labelled at {width} x {height} pixels")
    objects = tuple(_resized(label, x, y, least_side) for label in labels.objects)
    return replace(labels, size=size, objects=objects, flaws=(*labels.flaws, mended))


def _size_now(labels: PictureLabels) -> tuple[int, int] | None:
    """Height and width of a picture whose labels were drawn on it at another scale; None for any other."""
    if labels.size is None or labels.normalized or not labels.objects:
        return None
    try:
        header = read_header(labels.picture)
    except SourceError:
        return None
    sizes = ((header.height, header.width), header.upright_size)
    height, width = labels.size
    corners = [corner for label in labels.objects for corner in (label.box[:2], label.box[2:])]
    if labels.size in sizes or any(x > width or y > height for x, y in corners):
        return None
    return next((size for size in sizes if _same_shape(size, labels.size)), None)


def _same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether one is the other made smaller: its height is, to the pixel, what its width asks."""
    small, large = sorted((one, other))
    return abs(small[0] * large[1] - large[0] * small[1]) <= large[1]


def _resized(label: ObjectLabel, x: float, y: float, least_side: float) -> ObjectLabel:
    x1, y1, x2, y2 = label.box
    width, height = _resized_side(x2 - x1, x, least_side), _resized_side(y2 - y1, y, least_side)
    area = None if label.area is None else label.area * x * y
    return replace(label, box=(x1 * x, y1 * y, x1 * x + width, y1 * y + height), area=area)


def _resized_side(side: float, scale: float, least_side: float) -> float:
    """A click without a drag stays one, and what gets too small becomes one."""
    return max(side * scale, least_side) if side > least_side else least_side


def _straight(label: ObjectLabel, least_side: float) -> ObjectLabel:
    x1, y1, x2, y2 = label.box
    if x2 - x1 < least_side:
        x1, x2 = x2 - least_side, x1 + least_side  # where both corner pixels belong to the box, they still do
    if y2 - y1 < least_side:
        y1, y2 = y2 - least_side, y1 + least_side
    return replace(label, box=(x1, y1, x2, y2))


def _mended(kind: str, labels: PictureLabels, number: int | None, sentence: str) -> Flaw:
    return Flaw(kind, labels.file, number, sentence, labels.picture, left_out=False)
