"""What a detection looks like: one look for the window, recordings and pictures.

Colours are those of Okabe and Ito, which people with any kind of colour vision tell apart. There are seven;
the classes beyond the familiar ones differ in the dashes of their lines too, and all by their names.
"""

import functools
import itertools
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from detector.values import Detections, LabelMap, Pixels

Colour = tuple[int, int, int]  # red, green, blue
Number = TypeVar("Number", int, float)

BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)

_ORANGE: Colour = (0xE6, 0x9F, 0x00)
_SKY_BLUE: Colour = (0x56, 0xB4, 0xE9)
_GREEN: Colour = (0x00, 0x9E, 0x73)
_YELLOW: Colour = (0xF0, 0xE4, 0x42)
_BLUE: Colour = (0x00, 0x72, 0xB2)
_VERMILION: Colour = (0xD5, 0x5E, 0x00)
_PURPLE: Colour = (0xCC, 0x79, 0xA7)
_PALETTE = (_ORANGE, _SKY_BLUE, _GREEN, _YELLOW, _BLUE, _VERMILION, _PURPLE)

# What is seen together most often must not share a colour by the chance of a hash.
_FAMILIAR = {
    "person": _ORANGE,
    "car": _SKY_BLUE,
    "bicycle": _GREEN,
    "dog": _YELLOW,
    "truck": _BLUE,
    "motorcycle": _VERMILION,
    "motorbike": _VERMILION,
    "bus": _PURPLE,
    "cat": _PURPLE,
}
_DASHES = ((1.0, 0.0), (8.0, 2.0), (3.0, 1.5))  # lengths of mark and gap, in line widths


@dataclass(frozen=True, slots=True)
class Style:
    """How the box of a class is drawn.

    colour       of the line and of the label behind its text
    contrast     black or white, whichever stands out from `colour`: the outline and the text
    mark, gap    lengths of the dashes in line widths; a gap of 0 is a solid line
    """

    colour: Colour
    contrast: Colour
    mark: float
    gap: float


@functools.cache
def style_of(class_name: str) -> Style:
    """The same for the same name in every run and every model."""
    familiar = _FAMILIAR.get(class_name)
    place = zlib.crc32(class_name.encode())
    colour = familiar or _PALETTE[place % 7]
    mark, gap = _DASHES[0 if familiar else place // 7 % 3]
    return Style(colour, BLACK if _luminance(colour) > 0.179 else WHITE, mark, gap)


def colour_of(class_name: str) -> Colour:
    """Red, green, blue of a class, 0..255."""
    return style_of(class_name).colour


def label_of(detections: Detections, index: int, labels: LabelMap) -> str:
    """What is written at a box: "person 0.93", or "person #4 0.93" where the object is tracked."""
    words = [labels[int(detections.class_ids[index])], f"{detections.scores[index]:.2f}"]
    if detections.track_ids is not None and detections.track_ids[index] >= 0:
        words.insert(1, f"#{detections.track_ids[index]}")
    return " ".join(words)


def place_tags(
    sizes: Sequence[tuple[Number, Number]],
    boxes: Sequence[tuple[Number, Number, Number, Number]],
    picture: tuple[Number, Number, Number, Number],
) -> list[tuple[Number, Number, Number, Number]]:
    """Where the labels go: above the box, else inside, else below it; always in the picture.

    A label that would cover one of a better detection takes the next place that is free.

    sizes    (width, height) of each label, the best detection's first
    boxes    x1, y1, x2, y2 of what is seen of each box
    picture  x1, y1, x2, y2
    returns  x1, y1, x2, y2 of each label; in the unit of what was given
    """
    left, top, right, bottom = picture
    placed: list[tuple[Number, Number, Number, Number]] = []
    for (width, height), (x1, y1, x2, y2) in zip(sizes, boxes):
        places = []
        for x, y in ((x1, y1 - height), (x1, y1), (x1, y2), (x2 - width, y1 - height)):
            x, y = max(left, min(x, right - width)), max(top, min(y, bottom - height))
            places.append((x, y, x + width, y + height))
        free = (place for place in places if not any(_overlap(place, other) for other in placed))
        placed.append(next(free, places[0]))
    return placed


def draw(pixels: Pixels, detections: Detections, labels: LabelMap) -> Pixels:
    """A new picture with the boxes and their labels; the better ones lie on top.

    pixels   (height, width, 3) uint8 BGR, left as it is
    returns  the same shape
    """
    picture = np.array(pixels)
    height, width = picture.shape[:2]
    # Lines and letters grow with the picture, but slower: 2 and 14 pixels at 768x432, 5 and 23 at 1080p.
    line = max(2, round((height + width) / 700))
    letters = 8.0 + (height + width) / 200
    styles = [style_of(labels[int(class_id)]) for class_id in detections.class_ids]
    corners = [_inside(box, height, width) for box in detections.boxes]
    for box, style in reversed(list(zip(corners, styles))):
        _draw_box(picture, box, style, line)
    texts = [label_of(detections, index, labels) for index in range(len(detections))]
    tags = place_tags([_tag_size(text, letters) for text in texts], corners, (0, 0, width, height))
    for text, tag, style in reversed(list(zip(texts, tags, styles))):
        _draw_tag(picture, text, letters, tag, style)
    return picture


def _luminance(colour: Colour) -> float:
    """Relative luminance, 0..1; black and white contrast equally with 0.179 (WCAG 2)."""
    share = np.array(colour) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


Rectangle = tuple[int, int, int, int]  # x1, y1, x2, y2 in whole pixels, x2 and y2 beyond the last


def _inside(box: NDArray[Any], height: int, width: int) -> Rectangle:
    """A box in whole pixels, within the picture, at least one pixel large."""
    x1, y1, x2, y2 = (round(float(edge)) for edge in box)
    x1, y1 = max(0, min(x1, width - 1)), max(0, min(y1, height - 1))
    return x1, y1, max(x1 + 1, min(x2, width)), max(y1 + 1, min(y2, height))


def _draw_box(picture: Pixels, box: Rectangle, style: Style, line: int) -> None:
    """A line just within the box, between two thin ones of the contrasting colour."""
    x1, y1, x2, y2 = box
    rim = max(1, line // 3)
    radius = 2 * line + rim
    _draw_ring(picture, box, line + 2 * rim, radius, style.contrast, (1, 0))
    within = x1 + rim, y1 + rim, x2 - rim, y2 - rim
    dashes = round(style.mark * line), round(style.gap * line)
    _draw_ring(picture, within, line, radius - rim, style.colour, dashes)


def _draw_ring(
    picture: Pixels, box: Rectangle, thickness: int, radius: int, colour: Colour, dashes: tuple[int, int]
) -> None:
    """Bars on whole pixels, which nothing beats for sharpness, joined by smooth corners."""
    x1, y1, x2, y2 = box
    radius = min(radius, (x2 - x1) // 2, (y2 - y1) // 2)
    thickness = min(thickness, (x2 - x1) // 2, (y2 - y1) // 2)
    if thickness < 1:
        return
    bgr = colour[::-1]
    for left, right in _marks(x1 + radius, x2 - radius, *dashes):
        _fill(picture, (left, y1, right, y1 + thickness), bgr)
        _fill(picture, (left, y2 - thickness, right, y2), bgr)
    for top, bottom in _marks(y1 + radius, y2 - radius, *dashes):
        _fill(picture, (x1, top, x1 + thickness, bottom), bgr)
        _fill(picture, (x2 - thickness, top, x2, bottom), bgr)
    _blend_corners(picture[y1:y2, x1:x2], _corner(radius, thickness), bgr)


def _marks(start: int, end: int, mark: int, gap: int) -> list[tuple[int, int]]:
    """Where the dashes of a bar begin and end."""
    if not gap:
        return [(start, end)] if start < end else []
    return [(place, min(place + mark, end)) for place in range(start, end, mark + gap)]


def _fill(picture: Pixels, area: Rectangle, bgr: Colour) -> None:
    import cv2

    x1, y1, x2, y2 = area
    cv2.rectangle(picture, (x1, y1), (x2 - 1, y2 - 1), bgr, cv2.FILLED)  # ten times as fast as by slices


@functools.lru_cache
def _corner(radius: int, thickness: int) -> NDArray[np.float32]:
    """How much of each pixel at the upper left corner a quarter ring covers: (radius, radius), 0..1."""
    centres = np.arange(radius, dtype=np.float32) + np.float32(0.5 - radius)
    distance = np.hypot(centres[:, None], centres[None, :])
    outer = np.clip(radius - distance + 0.5, 0, 1)
    inner = np.clip(distance - (radius - thickness) + 0.5, 0, 1)
    return np.asarray(outer * inner, np.float32)


def _blend_corners(area: Pixels, coverage: NDArray[np.float32], bgr: Colour) -> None:
    radius = len(coverage)
    for rows, columns in itertools.product((1, -1), repeat=2):
        patch = area[::rows, ::columns][:radius, :radius]
        share = coverage[..., None]
        patch[:] = np.rint(patch * (1 - share) + np.array(bgr) * share)


_own = threading.local()  # a font remembers the weight it drew last: each thread has one


def _font() -> Any:
    import cv2  # here, so that the window has its colours before OpenCV is there

    if not hasattr(_own, "font"):
        _own.font = cv2.FontFace("sans")
    return _own.font


_WEIGHT = 500


def _tag_size(text: str, letters: float) -> tuple[int, int]:
    """Width and height of a label."""
    import cv2

    _, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), _font(), round(letters), _WEIGHT)
    return width + round(0.7 * letters), round(1.5 * letters)


def _overlap(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _draw_tag(picture: Pixels, text: str, letters: float, tag: Rectangle, style: Style) -> None:
    import cv2

    x1, y1, x2, y2 = tag
    area, bgr = picture[y1:y2, x1:x2], style.colour[::-1]
    radius = min(round(letters / 4), area.shape[0] // 2, area.shape[1] // 2)  # it may be cut off
    _fill(picture, (x1 + radius, y1, x2 - radius, y2), bgr)
    _fill(picture, (x1, y1 + radius, x2, y2 - radius), bgr)
    _blend_corners(area, _corner(radius, radius), bgr)
    start = (x1 + round(0.35 * letters), y1 + round(1.1 * letters))
    cv2.putText(picture, text, start, style.contrast, _font(), round(letters), _WEIGHT)
