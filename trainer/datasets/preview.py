"""A sheet of examples with their boxes: the quickest way to see whether labels are what one thinks."""

from collections.abc import Callable, Sequence

import numpy as np

from detector.pictures import read_picture
from detector.values import LabelMap, Pixels
from trainer.augmentation import Sample, augment, chain
from trainer.datasets.example import Example
from trainer.drawing import Colour, Mark, draw_marks, sheet

_SIDE = 320  # pixels of one picture on the sheet
# Okabe and Ito: told apart with any kind of colour vision. Blue, green, red.
_COLOURS: tuple[Colour, ...] = (
    (0x00, 0x9F, 0xE6), (0xE9, 0xB4, 0x56), (0x73, 0x9E, 0x00), (0x42, 0xE4, 0xF0),
    (0xB2, 0x72, 0x00), (0x00, 0x5E, 0xD5), (0xA7, 0x79, 0xCC),
)  # fmt: skip

View = Callable[[Example], Sample]


def as_stored(example: Example) -> Sample:
    """The picture and its labels; objects of no account in evaluation are `ignored`."""
    ignored = example.difficult | example.crowd
    return Sample(read_picture(example.path), example.boxes, example.class_ids, ignored)


def as_augmented(chain_name: str, *, height: int, width: int, seed: int) -> View:
    """What a network that takes pictures of this size may see of an example."""
    steps, rng = chain(chain_name, height=height, width=width), np.random.default_rng(seed)

    def view(example: Example) -> Sample:
        pixels = read_picture(example.path)
        return augment(Sample(pixels, example.boxes, example.class_ids, example.crowd), steps, rng)

    return view


def choose(examples: Sequence[Example], count: int, *, seed: int) -> list[Example]:
    """Some examples at random in which rare classes are seen as often as common ones, as far as possible."""
    waiting = [examples[k] for k in np.random.default_rng(seed).permutation(len(examples))]
    seen = dict.fromkeys((c for example in examples for c in example.class_ids.tolist()), 0)
    chosen: list[Example] = []
    while waiting and len(chosen) < count:
        # The picture that shows the class that has been shown least; without any object, it comes last.
        best = min(
            waiting, key=lambda example: min((seen[c] for c in example.class_ids.tolist()), default=count)
        )
        waiting.remove(best)
        chosen.append(best)
        for class_id in set(best.class_ids.tolist()):
            seen[class_id] += 1
    return chosen


def preview(
    examples: Sequence[Example], labels: LabelMap, *, view: View = as_stored, columns: int = 4
) -> Pixels:
    """The sheet, as pixels to be saved; the boxes of what is ignored are dashed.

    raises  SourceError when a picture cannot be read
    """
    pictures = []
    for example in examples:
        sample = view(example)
        marks = [
            Mark(box, labels[class_id], _COLOURS[class_id % len(_COLOURS)], bool(dashed))
            for box, class_id, dashed in zip(sample.boxes, sample.class_ids.tolist(), sample.ignored)
        ]
        pictures.append(draw_marks(sample.pixels, marks, side=_SIDE))
    return sheet(pictures, columns=columns, side=_SIDE)
