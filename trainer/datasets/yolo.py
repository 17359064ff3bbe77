"""YOLO: one text file a picture, a line `class cx cy width height` an object, as shares of the picture.

`data.yaml` names classes and splits; without it, `classes.txt` names the classes. A picture without a text
file, or with an empty one, shows no object. Lines with more numbers are outlines: their box is taken.
"""

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from detector.boxes import to_cxcywh
from detector.errors import DatasetError
from detector.values import LabelMap
from trainer.datasets.example import Example, Flaw
from trainer.datasets.folders import (
    find_folder,
    index_pictures,
    ordered_splits,
    read_names,
    read_text,
    split_folders,
    usual_name,
    without_year,
)
from trainer.datasets.labels import ObjectLabel, Part, PictureLabels

name = "yolo"
least_side = 0.0
cannot_hold = ("difficult", "truncated", "crowd", "area")
_SPLITS = ("train", "val", "test")
# What people say in `data.yaml` besides.
_NO_SPLITS = ("names", "path", "nc", "images", "labels", "classes", "download")
_NOT_LABELS = ("classes.txt", "labels.txt", "train.txt", "val.txt", "valid.txt", "test.txt")


def recognises(folder: Path) -> bool:
    return _yaml_file(folder) is not None or bool(split_folders(folder, _has_labels)) or _has_labels(folder)


def splits(folder: Path) -> tuple[str, ...]:
    if settings := _settings(folder):
        return ordered_splits(key for key in settings if _is_split(key, settings))
    inside = find_folder(folder, ("images",))
    parts = ordered_splits(path.name for path in inside.iterdir() if path.is_dir()) if inside else ()
    return parts or split_folders(folder, _has_labels)


def _is_split(key: object, settings: dict[Any, Any]) -> bool:
    """Whether an entry of the YAML is a list of pictures: the usual ones, and `learn: images/learn`."""
    if not isinstance(key, str) or key in _NO_SPLITS or not settings[key]:
        return False
    if key in _SPLITS or (usual_name(key) in _SPLITS and usual_name(key) not in settings):
        return True
    place = Path(str(settings[key]))
    return key in (place.name, place.stem)


def class_names(folder: Path) -> tuple[str, ...] | None:
    if settings := _settings(folder):
        names = settings.get("names")
        if isinstance(names, dict) and set(names) == set(range(len(names))):  # {0: person, 1: car}
            return tuple(str(names[index]) for index in range(len(names)))
        if isinstance(names, list):
            return tuple(map(str, names))
        raise DatasetError(
            f"{_yaml_file(folder)}: needs 'names', a list of the classes or 0: name, 1: name ..."
        )
    return read_names(folder)


def read(folder: Path, split: str | None) -> Sequence[PictureLabels]:
    names = class_names(folder)
    read: list[PictureLabels] = []
    for each in [split] if split else (splits(folder) or [None]):
        pictures = _pictures(folder, each)
        read += [_read_file(_label_file(picture), picture, names) for picture in pictures]
        read += _labels_without_picture(pictures)
    return read


def picture_folder(split: str | None) -> str:
    return f"images/{split}" if split else "images"


def write(parts: Sequence[Part], labels: LabelMap, folder: Path) -> None:
    """Regions of many objects are left out: as one object they would teach what is wrong.

    raises  DatasetError when a split is called as something else that `data.yaml` says
    """
    settings: dict[str, Any] = {"names": dict(enumerate(labels.names))}
    entries = _entries([part.split for part in parts])
    for part in parts:
        settings[entries[part.split]] = picture_folder(part.split)
        for picture, example in part.pictures:
            file = _label_file(picture)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(_lines(example)), encoding="utf-8")
    text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
    (folder / "data.yaml").write_text(text, encoding="utf-8")


def _entries(splits: Sequence[str | None]) -> dict[str | None, str]:
    """What `data.yaml` calls each split: `val` for `val2017`, as other programs look for no other name."""
    entries: dict[str | None, str] = {}
    for split in splits:
        if split in _NO_SPLITS:
            raise DatasetError(f"No list of a YOLO folder can be called '{split}'; choose another name.")
        usual = usual_name(without_year(split)) if split else "train"
        free = usual in _SPLITS and usual not in splits and usual not in entries.values()
        entries[split] = usual if split is None or free else split
    return entries


def _lines(example: Example) -> Iterator[str]:
    scale = np.array([example.width, example.height] * 2)
    kept = ~example.crowd
    shares = to_cxcywh(example.boxes[kept].astype(float)) / scale
    for box, class_id in zip(shares, example.class_ids[kept]):
        # 15 digits: read back, the box is the same to the last bit of its float32.
        yield f"{class_id} " + " ".join(f"{value:.15g}" for value in box) + "\n"


def _yaml_file(folder: Path) -> Path | None:
    """`data.yaml`, or the first YAML file that names classes."""
    found = [folder / "data.yaml", *sorted(folder.glob("*.y*ml"))]
    return next((path for path in found if path.is_file() and _names_classes(path)), None)


def _names_classes(path: Path) -> bool:
    return bool(re.search(r"^[\"']?names[\"']?\s*:", path.read_text("utf-8-sig", "replace"), re.MULTILINE))


def _settings(folder: Path) -> dict[str, Any] | None:
    file = _yaml_file(folder)
    if file is None:
        return None
    try:
        settings = yaml.safe_load(read_text(file))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        place = str(error).replace("\n", " ")
        raise DatasetError(f"{file}: is not YAML that can be read ({place}). Mend it.") from error
    if not isinstance(settings, dict):
        raise DatasetError(f"{file}: must hold 'names' and 'train', 'val' or 'test'.")
    return settings


def _has_labels(folder: Path) -> bool:
    places = (folder / "labels", folder)
    return any(_looks_right(path) for place in places for path in _text_files(place)[:5])


def _text_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.txt") if path.name not in _NOT_LABELS)


def _looks_right(path: Path) -> bool:
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        numbers = lines.readline().split()
    try:
        return len(numbers) >= 5 and all(math.isfinite(float(number)) for number in numbers)
    except ValueError:
        return False


def _pictures(folder: Path, split: str | None) -> list[Path]:
    settings = _settings(folder)
    if split is None or settings is None:
        places = [folder / "images" / split, folder / split] if split else [folder / "images", folder]
        place = next((place for place in places if place.is_dir()), folder)
        return list(dict.fromkeys(index_pictures(place).values()))
    listed = settings[split] if isinstance(settings[split], list) else [settings[split]]
    return [picture for entry in listed for picture in _listed(folder, settings, str(entry))]


def _listed(folder: Path, settings: dict[str, Any], entry: str) -> list[Path]:
    """The pictures of a folder, or of a text file that lists them.

    Data sets are moved without their YAML being changed: `path` and a leading `../` are tried, then ignored.
    """
    roots = [folder / str(settings.get("path", "")), folder]
    entries = [Path(entry), Path(entry.removeprefix("../"))]
    for place in (root / entry for entry in entries for root in roots):
        if place.is_dir():
            return list(dict.fromkeys(index_pictures(place).values()))
        if place.is_file():
            lines = [line.strip() for line in read_text(place).splitlines() if line.strip()]
            return [place.parent / line for line in lines]
    raise DatasetError(f"{_yaml_file(folder)}: there is no folder or list '{entry}'. Correct the entry.")


def _label_file(picture: Path) -> Path:
    """`.../images/train/a.jpg` -> `.../labels/train/a.txt`; else beside the picture."""
    beside = picture.with_suffix(".txt")
    parts = list(beside.parts)
    if "images" in parts[:-1]:
        last = len(parts) - 1 - parts[::-1].index("images")
        return Path(*parts[:last], "labels", *parts[last + 1 :])
    return beside


def _labels_without_picture(pictures: Sequence[Path]) -> list[PictureLabels]:
    expected = {_label_file(picture) for picture in pictures}
    folders = dict.fromkeys(file.parent for file in expected)
    sentence = "has no picture of its name. Add the picture or delete the label."
    return [
        PictureLabels.unusable(path.with_suffix(".jpg"), path, "missing picture", sentence)
        for place in folders
        if place.is_dir()
        for path in sorted(place.glob("*.txt"))
        if path not in expected and path.name not in _NOT_LABELS
    ]


def _read_file(file: Path, picture: Path, names: Sequence[str] | None) -> PictureLabels:
    try:
        lines = read_text(file).splitlines() if file.is_file() else []
    except DatasetError as error:
        return PictureLabels.unusable(picture, file, "unreadable label", str(error))
    objects, flaws = [], []
    for number, line in enumerate((line for line in lines if line.strip()), 1):
        try:
            objects.append(_read_object(line, number, names))
        except DatasetError as error:
            flaws.append(Flaw("unreadable label", file, number, str(error), picture))
    return PictureLabels(
        picture=picture, file=file, normalized=True, objects=tuple(objects), flaws=tuple(flaws)
    )


def _read_object(line: str, number: int, names: Sequence[str] | None) -> ObjectLabel:
    try:
        class_id, *values = map(float, line.split())
    except ValueError:
        values = []
    outline = len(values) >= 6 and len(values) % 2 == 0
    if not (outline or len(values) == 4) or not all(map(math.isfinite, values)) or class_id % 1:
        raise DatasetError(f"the line '{line.strip()[:60]}' is not 'class cx cy width height'. Correct it.")
    if outline:
        xs, ys = values[::2], values[1::2]
        box = (min(xs), min(ys), max(xs), max(ys))
    else:
        cx, cy, width, height = values
        box = (cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2)
    index = int(class_id)
    known = names is not None and 0 <= index < len(names)
    return ObjectLabel(
        number=number,
        name=names[index] if names is not None and known else str(index),
        box=box,
        stated=line.strip()[:80],
    )
