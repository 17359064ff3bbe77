"""A dataset that a small network learns in a minute: red squares and blue discs on noise."""

from pathlib import Path

import cv2
import numpy as np

from detector.model_card import ModelCard
from detector.networks.catalog import new_card
from tests.trainer.pictures import voc_file, voc_list, voc_object
from trainer.datasets import Example, open_dataset

CLASSES = ("disc", "square")


def shapes_folder(folder: Path, *, train: int = 16, val: int = 4, side: int = 96, seed: int = 0) -> Path:
    """A VOC folder with lists `train` and `val`; every third picture is without objects."""
    rng = np.random.default_rng(seed)
    names = [f"shape{number:03d}" for number in range(train + val)]
    for number, name in enumerate(names):
        pixels = rng.integers(60, 120, (side, side, 3)).astype(np.uint8)
        objects = []
        for _ in range(0 if number % 3 == 2 else 1 + number % 2):
            size = int(rng.integers(side // 4, side // 2))
            left, top = (int(corner) for corner in rng.integers(0, side - size, 2))
            if rng.random() < 0.5:
                kind = "square"
                pixels[top : top + size, left : left + size] = (0, 0, 255)
            else:
                kind = "disc"
                cv2.circle(pixels, (left + size // 2, top + size // 2), size // 2, (255, 0, 0), -1)
            objects.append(voc_object(kind, left + 1, top + 1, left + size, top + size))
        path = folder / "JPEGImages" / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), pixels)
        voc_file(folder, name, *objects, size=(side, side))
    voc_list(folder, "train", *names[:train])
    voc_list(folder, "val", *names[train:])
    return folder


def shapes(folder: Path, **counts: int) -> tuple[Example, ...]:
    """The examples to learn from."""
    return open_dataset(shapes_folder(folder, **counts), split="train").examples


def small_card(classes: tuple[str, ...] = CLASSES, *, side: int = 96, **options: object) -> ModelCard:
    """MobileNet v1 of a quarter of the width, for small pictures."""
    chosen = {"width": 0.25, **options}
    return new_card(
        "ssd300-mobilenet-v1", name="small", classes=classes, input_size=(side, side), options=chosen
    )
