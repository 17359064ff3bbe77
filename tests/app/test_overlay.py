"""What a detection looks like: readable on any picture, the same in every run, never outside the picture."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from app.overlay import colour_of, draw, label_of, style_of
from detector.values import Detections, LabelMap, Pixels

ROOT = Path(__file__).resolve().parents[2]
LABELS = LabelMap(("person", "car", "helmet", "Straßenbahn", "人"))


def found(*boxes: tuple[float, float, float, float], class_ids: list[int] | None = None) -> Detections:
    count = len(boxes)
    scores = np.linspace(0.93, 0.5, count).astype(np.float32)
    return Detections(
        np.float32(boxes).reshape(-1, 4),
        scores,
        np.int32(class_ids if class_ids is not None else [0] * count),
    )


def gray(height: int = 240, width: int = 320, level: int = 128) -> Pixels:
    return np.full((height, width, 3), level, np.uint8)


def changed(before: Pixels, after: Pixels) -> tuple[int, int, int, int]:
    """x1, y1, x2, y2 around every pixel that differs."""
    rows, columns = np.nonzero((before != after).any(axis=2))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_the_picture_given_stays_as_it_is() -> None:
    picture = gray()
    picture.flags.writeable = False
    drawn = draw(picture, found((50, 50, 150, 150)), LABELS)
    assert (picture == 128).all()
    assert (drawn != 128).any()
    drawn[0, 0] = 1  # and the new one is the caller's own


def test_without_detections_nothing_is_drawn() -> None:
    assert (draw(gray(), Detections.empty(), LABELS) == 128).all()


def test_the_line_lies_on_the_edge_of_the_box_and_its_inside_stays_clear() -> None:
    drawn = draw(gray(), found((50, 60, 150, 160)), LABELS)
    x1, _, x2, y2 = changed(gray(), drawn)
    assert (x1, x2, y2) == (50, 150, 160)
    assert tuple(drawn[110, 51][::-1]) == colour_of("person")
    assert tuple(drawn[110, 50]) == (0, 0, 0), "a black rim beneath, so that it shows on any picture"
    assert (drawn[70:150, 60:140] == 128).all()


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_box_shows_on_any_picture(level: int) -> None:
    """Of the pixels across the line at least one contrasts strongly with what it lies on."""
    for name in LABELS.names:
        drawn = draw(gray(level=level), found((50, 60, 150, 160), class_ids=[LABELS.class_id(name)]), LABELS)
        assert np.abs(drawn[110, 48:56].astype(int) - level).max() > 90


def test_the_label_lies_above_the_box_and_where_there_is_no_room_inside_it() -> None:
    assert changed(gray(), draw(gray(), found((50, 60, 150, 160)), LABELS))[1] < 45
    drawn = draw(gray(), found((50, 0, 150, 160)), LABELS)
    assert tuple(drawn[3, 60][::-1]) == colour_of("person")


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 320, 240),
        (310, 230, 320, 240),
        (-30, -20, 10, 10),
        (300, 100, 400, 110),
        (5, 5, 5, 5),
        (100.2, 100.4, 100.9, 100.6),
        (319.9, 239.9, 320, 240),
    ],
)
def test_any_box_is_drawn_with_its_whole_label_in_the_picture(box: tuple[float, float, float, float]) -> None:
    drawn = draw(gray(), found(box), LABELS)
    orange = (drawn == np.uint8(colour_of("person")[::-1])).all(axis=2)
    assert orange.sum() > 300, "the label is in sight"


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (16, 16)])
def test_pictures_too_small_for_a_label_are_drawn_too(size: tuple[int, int]) -> None:
    height, width = size
    assert draw(gray(height, width), found((0, 0, width, height)), LABELS).shape == (height, width, 3)


def test_a_label_does_not_cover_the_label_of_a_better_detection() -> None:
    one = draw(gray(), found((50, 60, 150, 160)), LABELS)
    both = draw(gray(), found((50, 60, 150, 160), (52, 62, 152, 162), class_ids=[0, 1]), LABELS)
    assert (both[42:58, 50:120] == one[42:58, 50:120]).all()
    alone = draw(gray(), found((52, 62, 152, 162), class_ids=[1]), LABELS)
    blue, blue_alone = ((p == np.uint8(colour_of("car")[::-1])).all(axis=2).sum() for p in (both, alone))
    assert blue > 0.6 * blue_alone, "its own is whole elsewhere; only its line is covered"


def test_lines_and_letters_grow_with_the_picture() -> None:
    def label_height(height: int, width: int) -> int:
        drawn = draw(gray(height, width), found((width / 2, height / 2, width - 5, height - 5)), LABELS)
        return height // 2 - changed(gray(height, width), drawn)[1]

    assert 14 <= label_height(240, 320) < label_height(720, 1280) < label_height(2160, 3840) < 80


def test_the_label_says_class_and_score_and_the_track_where_there_is_one() -> None:
    tracked = Detections(
        np.zeros((2, 4), np.float32), np.float32([0.934, 0.5]), np.int32([0, 1]), np.int32([0, -1])
    )
    assert [label_of(tracked, index, LABELS) for index in (0, 1)] == ["person #0 0.93", "car 0.50"]


def test_names_in_any_script_are_written_with_their_own_letters() -> None:
    """What a font lacks would be drawn as the same box or question mark for every letter."""
    labels = LabelMap(("人", "ж", "ñ"))
    drawn = [
        draw(gray(), found((50, 60, 150, 160), class_ids=[class_id]), labels)[42:58, 53:63].astype(int)
        - style_of(name).colour[::-1]
        for class_id, name in enumerate(labels.names)
    ]
    masks = [(np.abs(letters) > 100).any(axis=2) for letters in drawn]
    assert all(mask.any() for mask in masks)
    assert not (masks[0] == masks[1]).all()
    assert not (masks[1] == masks[2]).all()


def test_a_class_has_its_colour_in_every_process_and_model() -> None:
    ask = (
        "from app.overlay import style_of; print([style_of(n) for n in ('helmet', 'Straßenbahn', 'person')])"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert answers == {f"{[style_of(name) for name in ('helmet', 'Straßenbahn', 'person')]}\n"}


def test_what_is_often_seen_together_differs_in_colour() -> None:
    often = ("person", "car", "bicycle", "dog", "truck", "motorcycle", "bus")
    assert len({colour_of(name) for name in often}) == 7


def test_more_classes_than_colours_differ_in_their_dashes() -> None:
    names = [f"class {number}" for number in range(60)]
    styles = {(style_of(name).colour, style_of(name).mark, style_of(name).gap) for name in names}
    assert len(styles) > 14
    dashed = next(name for name in names if style_of(name).gap)
    drawn = draw(gray(), found((50, 60, 150, 160)), LabelMap((dashed,)))
    edge = (drawn[70:150, 51] == np.uint8(style_of(dashed).colour[::-1])).all(axis=1)
    assert np.abs(np.diff(edge.astype(int))).sum() >= 2, "marks and gaps follow each other"


def test_text_and_rim_contrast_with_the_colour() -> None:
    """At least 4.5 to 1, as WCAG asks; computed here by its formula."""

    def luminance(colour: tuple[int, int, int]) -> float:
        linear = [(c / 255 / 12.92 if c < 11 else ((c / 255 + 0.055) / 1.055) ** 2.4) for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for name in [f"class {number}" for number in range(60)]:
        style = style_of(name)
        low, high = sorted((luminance(style.colour), luminance(style.contrast)))
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_the_colours_are_there_without_opencv() -> None:
    ask = "import sys; from app.overlay import colour_of; colour_of('person'); print('cv2' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", ask], cwd=ROOT, text=True) == "False\n"


def test_threads_draw_the_same_picture() -> None:
    detections = found((50, 60, 150, 160), (80, 90, 300, 200), class_ids=[2, 3])
    expected = draw(gray(), detections, LABELS)
    with ThreadPoolExecutor(4) as threads:
        drawn = list(threads.map(lambda _: draw(gray(), detections, LABELS), range(100)))
    assert all((picture == expected).all() for picture in drawn)
