"""Recognises the format of a folder of labelled photographs and reads it."""

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path

from detector.errors import DatasetError
from detector.values import LabelMap
from trainer.datasets import coco, voc, yolo
from trainer.datasets.class_choice import ClassChoice
from trainer.datasets.csv_table import CsvTable
from trainer.datasets.examine import Examiner
from trainer.datasets.example import Dataset, Example, Flaw
from trainer.datasets.folders import usual_name, without_year
from trainer.datasets.labels import Format, PictureLabels
from trainer.datasets.mend import mend

# In the order in which they are looked for: the surest signs first.
FORMATS: tuple[Format, ...] = (voc, coco, yolo, CsvTable())


def open_dataset(
    folder: Path | str, *, split: str | None = None, classes: str | None = None, columns: str | None = None
) -> Dataset:
    """The labelled photographs of a folder, fit for training and evaluation.

    split    "train", "val", "test" or another list of the folder; None: all of it
    classes  "person,car=vehicle": only these, renamed; None: all
    columns  "picture=img,x1=3": which column of a CSV file is what; None: by their names
    returns  warnings are in `flaws`, their objects left out where they say so
    raises   DatasetError when the folder is none, or holds an error (missing picture, unknown class ...)
    """
    dataset = survey(folder, split=split, classes=classes, columns=columns)
    dataset.refuse_errors()
    return dataset


def survey(
    folder: Path | str, *, split: str | None = None, classes: str | None = None, columns: str | None = None
) -> Dataset:
    """As `open_dataset`, but errors are kept in `flaws` beside the warnings, for a report of all of them.

    raises  DatasetError only when there is nothing to read: no such folder, split or format
    """
    return _survey(Path(folder), split, classes, columns, lambda labels, least_side: labels)


def survey_mended(folder: Path, *, split: str | None, columns: str | None = None) -> Dataset:
    """As `survey`, after mending in the labels what can be mended."""
    return _survey(folder, split, None, columns, mend)


def _survey(
    folder: Path,
    split: str | None,
    classes: str | None,
    columns: str | None,
    change: Callable[[PictureLabels, float], PictureLabels],
) -> Dataset:
    format = _format(folder, columns)
    chosen = _find_split(folder, format.splits(folder), split)
    pictures = format.read(folder, chosen)
    names = format.class_names(folder)
    if names is None:  # the same ids for every split: the names of all of them count
        names = _names_used(pictures if chosen is None else format.read(folder, None))
    class_ids: dict[str, int | None] = {name: index for index, name in enumerate(names)}
    if classes:
        names, class_ids = ClassChoice.of(classes).apply(names)
    examiner = Examiner(class_ids, format.least_side)
    examples: list[Example] = []
    flaws: list[Flaw] = []
    for picture in pictures:
        example, found = examiner.examine(change(picture, format.least_side))
        flaws += found
        if example is not None:
            examples.append(example)
    return Dataset(folder, format.name, chosen, LabelMap(names), tuple(examples), tuple(flaws))


def split_names(folder: Path | str, *, columns: str | None = None) -> tuple[str, ...]:
    """The lists a folder is divided into; empty when it is not."""
    return _format(Path(folder), columns).splits(Path(folder))


def recognise(folder: Path) -> Format:
    """The format of a folder, by looking at it.

    raises  DatasetError that says what was looked for
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: there is no such folder of labelled photographs.")
    for format in FORMATS:
        if format.recognises(folder):
            return format
    inside = (path for path in sorted(folder.iterdir()) if path.is_dir())
    better = next((path for path in inside if any(format.recognises(path) for format in FORMATS)), None)
    hint = f"did you mean {better}?" if better else "VOC, COCO, YOLO and CSV were looked for."
    raise DatasetError(f"{folder}: holds no labels; {hint}")


def _format(folder: Path, columns: str | None) -> Format:
    if not columns:
        return recognise(folder)
    table = CsvTable.with_columns(columns)
    if not table.recognises(folder):
        found = recognise(folder).name
        raise DatasetError(
            f"{folder}: holds no CSV file, which --columns is about, but {found}. Leave --columns out."
        )
    return table


def _names_used(pictures: Sequence[PictureLabels]) -> tuple[str, ...]:
    return tuple(sorted({label.name for picture in pictures for label in picture.objects}))


def _find_split(folder: Path, splits: tuple[str, ...], wanted: str | None) -> str | None:
    """The split as the folder calls it: `val` is also `valid` or `val2017`."""
    if wanted is None or wanted in splits:
        return wanted
    usual = usual_name(wanted)
    for split in splits:
        if usual in (usual_name(split), usual_name(without_year(split))):
            return split
    if not splits:
        raise DatasetError(
            f"{folder} is not divided into splits: there is no '{wanted}'. Leave the split out."
        )
    near = difflib.get_close_matches(wanted, splits, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(splits)}."
    raise DatasetError(f"{folder} has no split '{wanted}': {hint}")
