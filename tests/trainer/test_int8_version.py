"""Which pictures a network looks at before it is given 8-bit numbers."""

from pathlib import Path

import numpy as np

from detector.values import LabelMap
from trainer.datasets import Dataset, Example
from trainer.int8_version import pictures_to_look_at


def dataset(*names: str) -> Dataset:
    none = np.zeros(0, np.bool_)
    examples = tuple(
        Example(
            Path(name), 10, 10, np.zeros((0, 4), np.float32), np.zeros(0, np.int32), none, none, none,
            np.zeros(0, np.float32),
        )
        for name in names
    )  # fmt: skip
    return Dataset(Path("photos"), "voc", None, LabelMap(("a",)), examples)


EVERYTHING = dataset(*(f"{number}.jpg" for number in range(20)))


def test_pictures_that_are_not_measured_on_are_looked_at_first() -> None:
    measured = dataset("3.jpg", "4.jpg")
    assert len(pictures_to_look_at(EVERYTHING, measured, 100)) == 18
    assert not {Path("3.jpg"), Path("4.jpg")} & set(pictures_to_look_at(EVERYTHING, measured, 100))


def test_where_all_are_measured_on_they_must_do() -> None:
    assert len(pictures_to_look_at(EVERYTHING, EVERYTHING, 7)) == 7


def test_the_same_are_drawn_every_time() -> None:
    assert pictures_to_look_at(EVERYTHING, EVERYTHING, 7) == pictures_to_look_at(EVERYTHING, EVERYTHING, 7)
