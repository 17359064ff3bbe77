"""Augmentation: boxes follow what they hold, chance is where it should be, and a seed says everything."""

import collections
import colorsys
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import OptionError
from trainer.augmentation import CHAINS, Sample, augment, chain
from trainer.augmentation.photometric import (
    Brighten,
    InTurn,
    MultiplyContrast,
    MultiplySaturation,
    PhotometricDistortion,
    TurnHue,
)
from trainer.augmentation.sample import Nothing
from trainer.augmentation.shape import FlipSides, FlipUpDown, QuarterTurns, TurnClockwise, Warp
from trainer.augmentation.zoom import MEAN_COLOUR, CropSampler, CutOut, Expand, PlaceOnCanvas


def _sample(boxes: Any, *, height: int = 120, width: int = 160, ignored: Any = None) -> Sample:
    """A black picture; each object is painted in a colour of its own: (10 * (1 + index), 255, 255)."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for index, (x1, y1, x2, y2) in enumerate(boxes):
        pixels[y1:y2, x1:x2] = (10 * (1 + index), 255, 255)
    array = np.float32(boxes).reshape(-1, 4)
    flags = np.zeros(len(array), bool) if ignored is None else np.array(ignored)
    return Sample(pixels, array, np.arange(len(array), dtype=np.int32), flags)


def _painted(sample: Sample, class_id: int) -> list[int]:
    """Where the object of this colour really is: x1, y1, x2, y2."""
    rows, columns = np.nonzero(np.all(sample.pixels == (10 * (1 + class_id), 255, 255), axis=-1))
    return [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]


@pytest.mark.parametrize(
    "change",
    [
        PlaceOnCanvas(300, 400, 70, 31, MEAN_COLOUR),
        CutOut(20, 10, 110, 100),
        CutOut(40, 30, 110, 100),  # through the first object, left of and above its centre
        Warp(240, 480, cv2.INTER_NEAREST),
        FlipSides(),
        FlipUpDown(),
        *(TurnClockwise(quarters) for quarters in range(4)),
    ],
)
def test_boxes_stay_on_what_they_hold(change: Any) -> None:
    changed = change.apply(_sample([(30, 20, 70, 60), (75, 66, 100, 90)]))
    assert changed.class_ids.tolist() == [0, 1]
    for box, class_id in zip(changed.boxes, changed.class_ids):
        assert box.tolist() == _painted(changed, class_id)


def test_an_object_stays_in_a_part_when_its_centre_does() -> None:
    sample = _sample([(0, 0, 20, 20), (10, 10, 40, 40), (100, 10, 140, 30)])
    cut = CutOut(11, 11, 118, 100).apply(sample)
    assert cut.class_ids.tolist() == [1]  # the first has its centre at 10, the last at 120
    assert cut.boxes.tolist() == [[0, 0, 29, 29]]


def _rounded(value: float) -> int:
    return int(min(max(np.rint(np.float32(value)), 0), 255))


@given(st.lists(st.integers(0, 255), min_size=3, max_size=3), st.floats(-32, 32), st.floats(0.5, 1.5))
def test_brightness_and_contrast_round_and_saturate_after_each_operation(
    colour: list[int], addend: float, factor: float
) -> None:
    pixels = np.full((2, 2, 3), colour, np.uint8)
    sample = Sample(pixels, np.zeros((0, 4), np.float32), np.zeros(0, np.int32), np.zeros(0, bool))
    changed = InTurn((Brighten(addend), MultiplyContrast(factor))).apply(sample)
    brighter = [_rounded(value + np.float32(addend)) for value in colour]
    expected = [_rounded(np.float32(value) * np.float32(factor)) for value in brighter]
    assert changed.pixels[0, 0].tolist() == expected
    assert pixels[0, 0].tolist() == colour  # the picture itself is untouched: the cache keeps it


def _hsv(pixels: Any) -> tuple[float, float, float]:
    blue, green, red = (int(value) / 255 for value in pixels[0, 0])
    return colorsys.rgb_to_hsv(red, green, blue)


def test_hue_turns_by_two_degrees_a_unit_and_saturation_is_a_factor() -> None:
    pixels = np.full((2, 2, 3), (60, 180, 120), np.uint8)  # BGR
    sample = Sample(pixels, np.zeros((0, 4), np.float32), np.zeros(0, np.int32), np.zeros(0, bool))
    hue, saturation, brightness = _hsv(pixels)
    turned = _hsv(TurnHue(15).apply(sample).pixels)
    # 8-bit HSV knows 180 hues and 256 saturations: half a step of each, and of the 8-bit colours behind them
    assert turned == pytest.approx((hue + 30 / 360, saturation, brightness), abs=0.01)
    paler = _hsv(MultiplySaturation(0.5).apply(sample).pixels)
    assert paler == pytest.approx((hue, saturation / 2, brightness), abs=0.01)


def test_light_changes_come_in_two_orders_each_operation_with_half_a_chance() -> None:
    rng = np.random.default_rng(0)
    sample = _sample([(10, 10, 50, 50)])
    drawn = [PhotometricDistortion().draw(sample, rng) for _ in range(2000)]
    kinds = collections.Counter(type(change).__name__ for one in drawn for change in one.changes)
    orders = collections.Counter(
        tuple(type(change).__name__ for change in one.changes)
        for one in drawn
        if not any(isinstance(change, Nothing) for change in one.changes)
    )
    for name in ("Brighten", "MultiplyContrast", "MultiplySaturation", "TurnHue"):
        assert 900 < kinds[name] < 1100  # 1000 expected, deviation 22
    assert set(orders) == {
        ("Brighten", "MultiplyContrast", "MultiplySaturation", "TurnHue"),
        ("Brighten", "MultiplySaturation", "TurnHue", "MultiplyContrast"),
    }
    addends = [change.addend for one in drawn for change in one.changes if isinstance(change, Brighten)]
    assert -32 <= min(addends) < -31 and 31 < max(addends) <= 32


def test_zooming_out_keeps_the_aspect_ratio_and_fills_with_the_mean() -> None:
    rng = np.random.default_rng(0)
    sample = _sample([(10, 10, 50, 50)])
    drawn = [Expand().draw(sample, rng) for _ in range(1000)]
    placed = [change for change in drawn if isinstance(change, PlaceOnCanvas)]
    assert 440 < len(placed) < 560
    ratios = np.array([change.width / sample.width for change in placed])
    assert 1 <= ratios.min() < 1.1 and 3.9 < ratios.max() <= 4
    assert np.mean(ratios) == pytest.approx(2.5, abs=0.15)
    for change in placed[:20]:
        assert change.height / sample.height == pytest.approx(change.width / sample.width, abs=0.02)
        zoomed = change.apply(sample)
        assert zoomed.boxes[0].tolist() == _painted(zoomed, 0)
        outside = np.ones(zoomed.pixels.shape[:2], bool)
        outside[change.top : change.top + sample.height, change.left : change.left + sample.width] = False
        assert np.all(zoomed.pixels[outside] == MEAN_COLOUR)


def _iou(a: Any, b: Any) -> float:
    common = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


@pytest.mark.parametrize("lowest", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_part_overlaps_some_object_as_asked(lowest: float) -> None:
    sampler = CropSampler(min_overlaps=(lowest,), trials=500)
    sample = _sample([(10, 10, 20, 20), (15, 20, 150, 110)])
    rng = np.random.default_rng(0)
    parts = [change for _ in range(100) if isinstance(change := sampler.draw(sample, rng), CutOut)]
    assert 25 < len(parts) < 75  # one of two: the whole picture, or the part found
    for part in parts:
        corners = (part.left, part.top, part.right, part.bottom)
        assert max(_iou(corners, box) for box in sample.boxes) > lowest - 0.03  # whole pixels
        height, width = (part.bottom - part.top) / 120, (part.right - part.left) / 160
        assert 0.28 < np.sqrt(height * width) <= 1
        assert 0.47 < width / height < 2.1


def test_the_whole_picture_is_kept_once_in_as_many_times_as_samplers_were_content() -> None:
    rng = np.random.default_rng(0)
    large, tiny = _sample([(5, 5, 155, 115)]), _sample([(70, 50, 74, 54)])

    def whole(sample: Sample) -> float:
        return sum(isinstance(CropSampler().draw(sample, rng), Nothing) for _ in range(700)) / 700

    assert whole(large) == pytest.approx(1 / 7, abs=0.05)  # all seven find something
    assert whole(tiny) == pytest.approx(1 / 2, abs=0.07)  # the whole picture, or any part


def test_a_picture_without_objects_is_never_cut() -> None:
    rng = np.random.default_rng(0)
    crowd = _sample([(10, 10, 100, 100)], ignored=[True])
    for sample in (_sample([]), crowd):
        assert all(isinstance(CropSampler().draw(sample, rng), Nothing) for _ in range(20))


def test_quarter_turns_are_equally_likely() -> None:
    rng = np.random.default_rng(0)
    counts = collections.Counter(QuarterTurns().draw(_sample([]), rng).quarters for _ in range(800))
    assert sorted(counts) == [0, 1, 2, 3]
    assert min(counts.values()) > 150


@given(
    st.sampled_from(sorted(CHAINS)),
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(0, 158), st.integers(0, 118)), max_size=4),
)
def test_every_chain_gives_the_size_asked_for_and_boxes_inside(name: str, seed: int, corners: Any) -> None:
    boxes = [(x, y, x + 1 + (x * 7) % (160 - x), y + 1 + (y * 5) % (120 - y)) for x, y in corners]
    changed = augment(_sample(boxes), chain(name, height=60, width=90), np.random.default_rng(seed))
    assert changed.pixels.shape == (60, 90, 3)
    assert changed.pixels.dtype == np.uint8
    assert changed.boxes.dtype == np.float32
    assert len(changed.boxes) == len(changed.class_ids) == len(changed.ignored) <= len(boxes)
    assert np.all(changed.boxes[:, 2:] > changed.boxes[:, :2])
    assert np.all(changed.boxes >= -1e-4)
    assert np.all(changed.boxes <= np.float32([90, 60, 90, 60]) + 1e-4)


@pytest.mark.parametrize("name", sorted(CHAINS))
def test_a_seed_says_everything(name: str) -> None:
    sample = _sample([(30, 20, 70, 60), (75, 66, 100, 90)])
    steps = chain(name, height=60, width=90)
    first, again = (augment(sample, steps, np.random.default_rng((7, 3))) for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.boxes, again.boxes)


def test_none_is_what_the_engines_do_and_nothing_else() -> None:
    sample = _sample([(30, 20, 70, 60)])
    changed = augment(sample, chain("none", height=60, width=90), np.random.default_rng(0))
    assert np.array_equal(changed.pixels, cv2.resize(sample.pixels, (90, 60), interpolation=cv2.INTER_LINEAR))


def test_an_unknown_chain_is_answered_with_the_known_ones() -> None:
    with pytest.raises(OptionError, match="original, satellite, none"):
        chain("orignal", height=60, width=90)


def test_zooming_out_ends_where_it_was_told_to() -> None:
    (expand,) = (
        step for step in chain("original", height=300, width=300, zoom_out=1.5) if isinstance(step, Expand)
    )
    sample = Sample(
        np.zeros((100, 80, 3), np.uint8),
        np.zeros((0, 4), np.float32),
        np.zeros(0, np.int32),
        np.zeros(0, bool),
    )
    rng = np.random.default_rng(0)
    heights = [augment(sample, (expand,), rng).height for _ in range(200)]
    assert 140 < max(heights) <= 150 and min(heights) == 100


def test_zooming_in_ends_where_it_was_told_to() -> None:
    (crop,) = (
        step
        for step in chain("satellite", height=300, width=300, zoom_in=0.8)
        if isinstance(step, CropSampler)
    )
    rng = np.random.default_rng(0)
    parts = [augment(_sample([(60, 40, 120, 100)]), (crop,), rng) for _ in range(200)]
    shares = [(part.height * part.width / (120 * 160)) ** 0.5 for part in parts]
    assert 0.78 < min(shares) < 0.9


def test_what_is_not_to_be_zoomed_is_not() -> None:
    steps = chain("original", height=300, width=300, zoom_out=1, zoom_in=1)
    assert not [step for step in steps if isinstance(step, Expand | CropSampler)]
    assert len(steps) == 3
