"""Datasets written to a new folder: in another format, or mended. The original is only read."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from detector.errors import DatasetError, SourceError
from detector.pictures import read_header, read_picture
from detector.values import LabelMap
from trainer.datasets import coco, voc, yolo
from trainer.datasets.csv_table import CsvTable
from trainer.datasets.example import Dataset, Example, Flags, Flaw, summarise
from trainer.datasets.labels import Format, Part
from trainer.datasets.opening import open_dataset, split_names, survey, survey_mended

FORMATS: Mapping[str, Format] = {"voc": voc, "coco": coco, "yolo": yolo, "csv": CsvTable()}

_NAMED = 5  # pictures in one note; 'dataset check' names all


@dataclass(frozen=True, slots=True)
class Written:
    """What has been written.

    pictures  how many
    flaws     what had to be left out
    notes     sentences on what else is not as before
    """

    folder: Path
    pictures: int
    flaws: tuple[Flaw, ...] = ()
    notes: tuple[str, ...] = ()


def convert(
    folder: Path, target: Path, *, format: str, classes: str | None = None, columns: str | None = None
) -> Written:
    """The same pictures and objects in another format.

    raises  DatasetError when the target is taken, or the dataset holds errors
    """

    def read(split: str | None) -> Dataset:
        return open_dataset(folder, split=split, classes=classes, columns=columns)

    parts = {split: read(split) for split in _splits_to_write(folder, format, columns)}
    notes = [*_unlisted(folder, parts, columns), *losses(FORMATS[format], parts), *doubts(parts)]
    return _write_all(parts, target, format, notes)


def fix(folder: Path, target: Path, *, columns: str | None = None) -> Written:
    """A corrected copy in the same format: mended where possible, without what cannot be mended.

    raises  DatasetError when the target is taken, or nothing would be left
    """
    splits = _all_splits(folder, columns)
    surveys = {split: survey_mended(folder, split=split, columns=columns) for split in splits}
    parts = {split: _readable_only(dataset) for split, dataset in surveys.items()}
    if not any(map(len, parts.values())):
        raise DatasetError(f"{folder}: holds no picture that can be used; there is nothing to correct.")
    format = next(iter(parts.values())).format
    notes = [*_mended(parts), *_unlisted(folder, parts, columns), *doubts(parts)]
    return _write_all(parts, target, format, notes)


def write_dataset(
    parts: Mapping[str | None, Sequence[Example]], labels: LabelMap, target: Path, *, format: str
) -> int:
    """Pictures and labels into a new folder, whole or not at all.

    parts    examples by split; a single part None is not divided
    returns  the number of pictures
    raises   DatasetError when the target exists and is not an empty folder, or cannot be written
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DatasetError(f"{target} exists already and is not empty; name a new folder.")
    unfinished = target.with_name(f".{target.name}.part")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        writer = FORMATS[format]
        copier = _Copier()
        copied = [
            Part(split, tuple(copier.copy(examples, unfinished / writer.picture_folder(split))))
            for split, examples in parts.items()
        ]
        writer.write(copied, labels, unfinished)
        if target.exists():
            target.rmdir()
        unfinished.rename(target)
    except OSError as error:
        raise DatasetError(f"{target} cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return copier.pictures


class _Copier:
    """Copies pictures under names that are unique without their extension."""

    def __init__(self) -> None:
        self._names: dict[Path, str] = {}
        self._stems: set[str] = set()

    @property
    def pictures(self) -> int:
        return len(self._names)

    def copy(self, examples: Sequence[Example], folder: Path) -> list[tuple[Path, Example]]:
        folder.mkdir(parents=True, exist_ok=True)
        copied = []
        for example in examples:
            place = folder / self._name(example.path)
            if not place.exists():
                _copy_upright(example.path, place)
            copied.append((place, example))
        return copied

    def _name(self, path: Path) -> str:
        if path not in self._names:
            stem, count = path.stem, 1
            while stem in self._stems:
                count += 1
                stem = f"{path.stem}-{count}"
            self._stems.add(stem)
            self._names[path] = stem + path.suffix
        return self._names[path]


def _copy_upright(source: Path, place: Path) -> None:
    """A picture that EXIF would turn is turned for good: not every program reads EXIF."""
    if read_header(source).orientation == 1:
        shutil.copyfile(source, place)
        return
    _, content = cv2.imencode(source.suffix, read_picture(source), [cv2.IMWRITE_JPEG_QUALITY, 95])
    place.write_bytes(content.tobytes())


def _write_all(
    parts: Mapping[str | None, Dataset], target: Path, format: str, notes: Sequence[str]
) -> Written:
    labels = next(iter(parts.values())).labels
    pictures = write_dataset(
        {split: dataset.examples for split, dataset in parts.items()}, labels, target, format=format
    )
    flaws = tuple(
        dict.fromkeys(flaw for dataset in parts.values() for flaw in dataset.flaws if flaw.left_out)
    )
    left_out = [f"left out: {summarise(flaws)}"] if flaws else []
    return Written(target, pictures, flaws, (*left_out, *notes))


def _readable_only(dataset: Dataset) -> Dataset:
    """Without pictures of which only the header can be read."""
    examples, flaws = [], list(dataset.flaws)
    for example in dataset.examples:
        try:
            read_picture(example.path)
            examples.append(example)
        except SourceError as error:
            flaws.append(Flaw("unreadable picture", example.path, None, str(error), example.path))
    return replace(dataset, examples=tuple(examples), flaws=tuple(flaws))


def _all_splits(folder: Path, columns: str | None) -> Sequence[str | None]:
    return split_names(folder, columns=columns) or (None,)


def _splits_to_write(folder: Path, format: str, columns: str | None) -> Sequence[str | None]:
    """Where every split has its own pictures, `trainval` would be `train` and `val` once more."""
    splits = _all_splits(folder, columns)
    repeated = {"trainval"} if format != "voc" and {"train", "val"} <= set(splits) else set()
    return [split for split in splits if split not in repeated]


def _unlisted(folder: Path, parts: Mapping[str | None, Dataset], columns: str | None) -> list[str]:
    if None in parts:
        return []
    listed = {example.path for dataset in parts.values() for example in dataset.examples}
    everything = {example.path for example in survey(folder, columns=columns).examples}
    count = len(everything - listed)
    return [f"{count} pictures are in none of the lists and were not written"] if count else []


def doubts(parts: Mapping[str | None, Dataset]) -> list[str]:
    """What a copy no longer tells: that boxes may belong to the picture at another size, or turned."""
    sentences = {
        "wrong size": "boxes kept as they were, though the labels state another size of",
        "turned picture": "boxes turned with their picture, though they may have been drawn upright, of",
    }
    pictures = {kind: _pictures_of(kind, parts) for kind in sentences}
    return [f"{sentences[kind]} {_named(paths)}" for kind, paths in pictures.items() if paths]


def _mended(parts: Mapping[str | None, Dataset]) -> list[str]:
    """How much of which kind was mended, and in which pictures the boxes are others."""
    kinds = {
        "swapped": "with corners swapped",
        "overhanging": "cut at the edge",
        "dropped": "dropped as repeated",
    }
    flaws = dict.fromkeys(_flaws_of_labelled(parts))
    counts = Counter(flaw.kind for flaw in flaws)
    said = ", ".join(f"{counts[kind]} {words}" for kind, words in kinds.items() if counts[kind])
    scaled = _pictures_of("scaled", parts)
    return [
        *([f"objects mended: {said}"] if said else []),
        *([f"boxes scaled, as the labels state another size of {_named(scaled)}"] if scaled else []),
    ]


def _pictures_of(kind: str, parts: Mapping[str | None, Dataset]) -> list[Path]:
    return list(dict.fromkeys(flaw.picture for flaw in _flaws_of_labelled(parts) if flaw.kind == kind))


def _flaws_of_labelled(parts: Mapping[str | None, Dataset]) -> Iterator[Flaw]:
    """Those of pictures that are written and show an object."""
    for dataset in parts.values():
        labelled = {example.path for example in dataset.examples if len(example)}
        yield from (flaw for flaw in dataset.flaws if flaw.picture in labelled)


def _named(paths: Sequence[Path]) -> str:
    names = ", ".join(path.name for path in paths[:_NAMED])
    return f"{names} and {len(paths) - _NAMED} more" if paths[_NAMED:] else names


def losses(format: Format, parts: Mapping[str | None, Dataset]) -> list[str]:
    """A sentence for every kind of fact that a format cannot hold, where there are such facts."""
    examples = [example for dataset in parts.values() for example in dataset.examples]
    counts: dict[str, Callable[[Example], int]] = {
        "difficult": lambda example: int(example.difficult.sum()),
        "truncated": lambda example: int(example.truncated.sum()),
        "crowd": lambda example: int(example.crowd.sum()),
        "area": lambda example: int(_has_outline(example).sum()),
    }
    lost = {flag: sum(map(count, examples)) for flag, count in counts.items() if flag in format.cannot_hold}
    return [f"{format.name} cannot say '{flag}': {count} objects" for flag, count in lost.items() if count]


def _has_outline(example: Example) -> Flags:
    """(n,) bool: whose area is not that of the box. Half a pixel: areas are often rounded to whole ones."""
    boxes = (example.boxes[:, 2:] - example.boxes[:, :2]).prod(axis=1)
    return ~np.isclose(example.areas, boxes, rtol=1e-5, atol=0.5)
