"""The anchors that the PriorBox layers of a Caffe network make."""

from collections.abc import Sequence
from math import floor, isclose
from typing import Any

from detector.anchor_layouts import caffe_shapes
from detector.anchors import AnchorLayout, AnchorMap, Clip, Shape
from detector.box_coder import Variances
from detector.errors import ImportFileError


def prior_layout(
    priors: Sequence[Any], cells: Sequence[tuple[int, int]], image: tuple[int, int], *, whole: bool
) -> AnchorLayout:
    """The layout of PriorBox messages, one a map, finest first.

    cells   (height, width) of the maps
    image   (height, width) of the pictures in pixels
    whole   sizes cut to whole pixels, as Caffe's released code does though its files allow fractions
    raises  ImportFileError when they ask for something that no SSD has
    """
    shorter = min(image)
    maps = tuple(
        AnchorMap(
            height=height,
            width=width,
            shapes=_shapes(each, shorter, whole=whole),
            step=_step(each, image, (height, width)),
            offset=each.offset if each.HasField("offset") else 0.5,
        )
        for each, (height, width) in zip(priors, cells, strict=True)
    )
    clips: set[Clip] = {"corners" if each.clip else "none" for each in priors}
    if len(clips) > 1:
        raise ImportFileError("Some of its PriorBox layers clip their anchors and some do not.")
    return AnchorLayout(image_size=image, maps=maps, clip=clips.pop())


def variances(priors: Sequence[Any]) -> Variances:
    """Of all anchors; Caffe's default of 0.1 for all where there are none."""
    found = {tuple(round(value, 6) for value in each.variance) or (0.1,) for each in priors}
    values = found.pop()
    if found or len(values) not in (1, 4) or min(values) <= 0:
        raise ImportFileError("The variances of its PriorBox layers differ; here all anchors have the same.")
    x, y, w, h = values * 4 if len(values) == 1 else values
    return x, y, w, h


def _shapes(prior: Any, shorter: int, *, whole: bool) -> tuple[Shape, ...]:
    """As fractions of the shorter side: for each size its square, the larger square, the ratios."""
    sizes = [_pixels(size, whole) for size in prior.min_size]
    larger: list[float | None] = [_pixels(size, whole) for size in prior.max_size]
    if not sizes or min(sizes) <= 0 or (larger and len(larger) != len(sizes)):
        raise ImportFileError("A PriorBox layer of it does not say the sizes of its anchors.")
    flips = prior.flip if prior.HasField("flip") else True
    shapes: list[Shape] = []
    for size, most in zip(sizes, larger or [None] * len(sizes)):
        squares = caffe_shapes(size, most, (), image=shorter)
        both = caffe_shapes(size, None, _ratios(prior, flips), image=shorter)[1:]
        shapes += [*squares, *(both if flips else both[::2])]
    return tuple(shapes)


def _pixels(size: float, whole: bool) -> float:
    return float(floor(size)) if whole else round(size, 4)  # 35.84 is 35.84000015 in float32


def _ratios(prior: Any, flips: bool) -> list[float]:
    """Each once; 1 is there already, and with `flips` so is the inverse of each."""
    seen, ratios = [1.0], []
    for ratio in prior.aspect_ratio:
        if ratio <= 0:
            raise ImportFileError("A PriorBox layer of it has an aspect ratio of 0 or less.")
        if any(isclose(ratio, each, abs_tol=1e-6) for each in seen):
            continue
        seen += [ratio, 1 / ratio] if flips else [ratio]
        ratios.append(ratio)
    return ratios


def _step(prior: Any, image: tuple[int, int], cells: tuple[int, int]) -> float | None:
    """Pixels; None where it is the picture divided by the cells, which is Caffe's own default, too."""
    height, width = (prior.step_h, prior.step_w) if prior.step_h or prior.step_w else (prior.step, prior.step)
    if height == 0 and width == 0:
        return None
    if height == width:
        return float(height)
    if isclose(height, image[0] / cells[0]) and isclose(width, image[1] / cells[1]):
        return None
    raise ImportFileError(
        "A PriorBox layer of it has other steps downwards than across; none here does that."
    )
