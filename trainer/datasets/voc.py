"""PASCAL VOC: one XML file a picture, with or without lists in ImageSets/Main.

VOC counts pixels from 1 and both corner pixels belong to the box: xmin 1, xmax 3 covers three pixels. Here a
box is its edges, so that one is x1 = 0, x2 = 3: `x1 = xmin - 1, x2 = xmax`. Plain areas of such boxes are the
devkit's areas with "+1".
"""

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

from detector.errors import DatasetError
from detector.values import LabelMap
from trainer.datasets.example import Example, Flaw
from trainer.datasets.folders import (
    find_folder,
    index_pictures,
    ordered_splits,
    plain_number,
    read_names,
    read_text,
    split_folders,
    write_names,
)
from trainer.datasets.labels import ObjectLabel, Part, PictureLabels

name = "voc"
least_side = 1.0
cannot_hold = ("area",)
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def recognises(folder: Path) -> bool:
    return _has_labels(folder) or bool(split_folders(folder, _has_labels))


def splits(folder: Path) -> tuple[str, ...]:
    """The lists in ImageSets/Main; without them, subfolders called train, val, test."""
    lists = [path.stem for path in _lists(folder).glob("*.txt") if _names_pictures(path)]
    return ordered_splits(lists) or split_folders(folder, _has_labels)


def class_names(folder: Path) -> tuple[str, ...] | None:
    return read_names(folder)


def read(folder: Path, split: str | None) -> Sequence[PictureLabels]:
    chosen = [split] if split else split_folders(folder, _has_labels)
    if split and (list_file := _lists(folder) / f"{split}.txt").is_file():
        stems = [line.split()[0] for line in read_text(list_file).splitlines() if line.strip()]
        pictures = _pictures(folder)
        return [_read_file(_label_folder(folder) / f"{stem}.xml", pictures) for stem in stems]
    if chosen and not _has_labels(folder):
        return [labels for each in chosen for labels in _read_folder(folder / each)]
    return _read_folder(folder)


def picture_folder(split: str | None) -> str:
    return "JPEGImages"


def write(parts: Sequence[Part], labels: LabelMap, folder: Path) -> None:
    (folder / "Annotations").mkdir(parents=True, exist_ok=True)
    for part in parts:
        for picture, example in part.pictures:
            _write_file(folder / "Annotations" / f"{picture.stem}.xml", picture, example, labels)
        if part.split:
            _lists(folder).mkdir(parents=True, exist_ok=True)
            listed = "".join(f"{picture.stem}\n" for picture, _ in part.pictures)
            (_lists(folder) / f"{part.split}.txt").write_text(listed, encoding="utf-8")
    write_names(folder, labels)


def _lists(folder: Path) -> Path:
    return folder / "ImageSets" / "Main"


def _label_folder(folder: Path) -> Path:
    return find_folder(folder, ("Annotations", "annotations")) or folder


def _has_labels(folder: Path) -> bool:
    return any(True for _ in _label_folder(folder).glob("*.xml"))


def _pictures(folder: Path) -> dict[str, Path]:
    return index_pictures(find_folder(folder, ("JPEGImages", "images")) or folder)


def _names_pictures(path: Path) -> bool:
    """A list of pictures, not the list of one class ("000005 -1") that lies beside it."""
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        return len(lines.readline().split()) == 1


def _read_folder(folder: Path) -> list[PictureLabels]:
    pictures = _pictures(folder)
    read = [_read_file(path, pictures) for path in sorted(_label_folder(folder).glob("*.xml"))]
    labelled = {labels.picture for labels in read}
    sentence = "has no label file. If it shows no object, give it one without <object>."
    unlabelled = [path for path in dict.fromkeys(pictures.values()) if path not in labelled]
    return read + [PictureLabels.unusable(path, path, "unlabelled picture", sentence) for path in unlabelled]


def _read_file(path: Path, pictures: dict[str, Path]) -> PictureLabels:
    picture = pictures.get(path.stem, path.with_suffix(".jpg"))
    try:
        root = ElementTree.parse(path).getroot()
    except FileNotFoundError:
        sentence = "is listed but does not exist. Add the file, or take it off the list."
        return PictureLabels.unusable(picture, path, "missing label", sentence)
    except (ElementTree.ParseError, UnicodeDecodeError, OSError) as error:
        sentence = f"is not XML that can be read ({error}). Mend or remove the file."
        return PictureLabels.unusable(picture, path, "unreadable label", sentence)
    if path.stem not in pictures:
        # <filename> comes second: it is often stale, as people rename files but not what is in them.
        stated = Path(root.findtext("filename", "").strip())
        picture = pictures.get(stated.name) or pictures.get(stated.stem) or picture
    objects, flaws = [], []
    for number, element in enumerate(root.findall("object"), 1):
        try:
            objects.append(_read_object(element, number))
        except DatasetError as error:
            flaws.append(Flaw("unreadable label", path, number, str(error), picture))
    return PictureLabels(
        picture=picture, file=path, size=_read_size(root), objects=tuple(objects), flaws=tuple(flaws)
    )


def _read_object(element: ElementTree.Element, number: int) -> ObjectLabel:
    """<name> and <bndbox> also occur inside <part>: only direct children count."""
    class_name = element.findtext("name", "").strip()
    if not class_name:
        raise DatasetError("has no <name>. Add it or delete the object.")
    corners = element.find("bndbox")
    if corners is None:
        raise DatasetError(f"'{class_name}' has no <bndbox>. Add it or delete the object.")
    xmin, ymin, xmax, ymax = (_number(corners, corner, class_name) for corner in _CORNERS)
    return ObjectLabel(
        number=number,
        name=class_name,
        box=(xmin - 1, ymin - 1, xmax, ymax),
        stated=f"{xmin:g}, {ymin:g}, {xmax:g}, {ymax:g}",
        difficult=_flag(element, "difficult"),
        truncated=_flag(element, "truncated"),
        crowd=_flag(element, "crowd"),
    )


def _write_file(path: Path, picture: Path, example: Example, labels: LabelMap) -> None:
    root = ElementTree.Element("annotation")
    _add(root, folder=picture.parent.name, filename=picture.name)
    _add(ElementTree.SubElement(root, "size"), width=example.width, height=example.height, depth=3)
    for index, class_id in enumerate(example.class_ids):
        element = ElementTree.SubElement(root, "object")
        truncated, difficult = int(example.truncated[index]), int(example.difficult[index])
        _add(element, name=labels[class_id], pose="Unspecified", truncated=truncated, difficult=difficult)
        if example.crowd[index]:
            _add(element, crowd=1)
        x1, y1, x2, y2 = map(float, example.boxes[index])
        corners = (plain_number(value) for value in (x1 + 1, y1 + 1, x2, y2))
        _add(ElementTree.SubElement(element, "bndbox"), **dict(zip(_CORNERS, corners)))
    ElementTree.indent(root, "\t")
    ElementTree.ElementTree(root).write(path, encoding="utf-8")


def _add(element: ElementTree.Element, **children: object) -> None:
    for tag, text in children.items():
        ElementTree.SubElement(element, tag).text = str(text)


def _number(corners: ElementTree.Element, corner: str, class_name: str) -> float:
    text = corners.findtext(corner, "").strip()
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DatasetError(f"'{class_name}' has <{corner}> '{text}', which is not a number. Correct it.")
    return value


def _flag(element: ElementTree.Element, name: str) -> bool:
    return element.findtext(name, "0").strip() not in ("0", "")


def _read_size(root: ElementTree.Element) -> tuple[int, int] | None:
    """Some programs write 0 x 0 where they do not know."""
    try:
        height, width = int(root.findtext("size/height", "")), int(root.findtext("size/width", ""))
    except ValueError:
        return None
    return (height, width) if height > 0 and width > 0 else None
