"""Recognises the format of a folder of labelled photographs and reads it."""

import difflib
from pathlib import Path

from detector.errors import DatasetError
from detector.values import LabelMap
from trainer.datasets import voc
from trainer.datasets.examine import Examiner
from trainer.datasets.example import Dataset, Example, Flaw
from trainer.datasets.labels import Format

FORMATS: tuple[Format, ...] = (voc,)
_SAME_SPLIT = ({"train", "training"}, {"val", "valid", "validation"}, {"test", "testing"})


def open_dataset(folder: Path | str, *, split: str | None = None) -> Dataset:
    """The labelled photographs of a folder, fit for training and evaluation.

    split    "train", "val", "test" or another list of the folder; None: all of it
    returns  warnings are in `flaws`, their objects left out where they say so
    raises   DatasetError when the folder is none, or holds an error (missing picture, unknown class ...)
    """
    dataset = survey(folder, split=split)
    dataset.refuse_errors()
    return dataset


def survey(folder: Path | str, *, split: str | None = None) -> Dataset:
    """As `open_dataset`, but errors are kept in `flaws` beside the warnings, for a report of all of them.

    raises  DatasetError only when there is nothing to read: no such folder, split or format
    """
    folder = Path(folder)
    format = recognise(folder)
    chosen = _find_split(folder, format.splits(folder), split)
    names = format.class_names(folder)
    pictures = format.read(folder, chosen)
    if names is None:  # the same ids for every split: the names of all of them count
        everything = pictures if chosen is None else format.read(folder, None)
        names = tuple(sorted({label.name for picture in everything for label in picture.objects}))
    examiner = Examiner({name: index for index, name in enumerate(names)}, format.least_side)
    examples: list[Example] = []
    flaws: list[Flaw] = []
    for picture in pictures:
        example, found = examiner.examine(picture)
        flaws += found
        if example is not None:
            examples.append(example)
    return Dataset(folder, format.name, chosen, LabelMap(names), tuple(examples), tuple(flaws))


def recognise(folder: Path) -> Format:
    """The format of a folder, by looking at it.

    raises  DatasetError that says what was looked for
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: there is no such folder of labelled photographs.")
    for format in FORMATS:
        if format.recognises(folder):
            return format
    inside = [
        sub.name
        for sub in sorted(folder.iterdir())
        if sub.is_dir() and any(f.recognises(sub) for f in FORMATS)
    ]
    hint = f" Did you mean {folder / inside[0]}?" if inside else ""
    raise DatasetError(f"{folder}: no labels were found.{hint}")


def _find_split(folder: Path, splits: tuple[str, ...], wanted: str | None) -> str | None:
    if wanted is None or wanted in splits:
        return wanted
    for names in _SAME_SPLIT:
        if wanted in names and (same := names & set(splits)):
            return min(same)
    if not splits:
        raise DatasetError(
            f"{folder} is not divided into splits, so there is no '{wanted}'; leave the split out."
        )
    near = difflib.get_close_matches(wanted, splits, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(splits)}."
    raise DatasetError(f"{folder} has no split '{wanted}': {hint}")
