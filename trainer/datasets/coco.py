"""COCO: one JSON file for all pictures of a split. Boxes are x, y, width, height; pixels counted from 0."""

import json
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from detector.errors import DatasetError
from detector.values import LabelMap
from trainer.datasets.example import Example, Flaw
from trainer.datasets.folders import divided, index_pictures, ordered_splits, read_text
from trainer.datasets.labels import ObjectLabel, Part, PictureLabels

name = "coco"
least_side = 0.0
cannot_hold: tuple[str, ...] = ()
_HEAD = 65536  # bytes; one of the three lists of a COCO file begins within them
_LISTS = re.compile(r'"(images|annotations|categories)"\s*:\s*\[')
_OTHER_TASKS = ("captions_", "person_keypoints_", "stuff_", "panoptic_", "image_info_")


def recognises(folder: Path) -> bool:
    return bool(_files(folder))


def splits(folder: Path) -> tuple[str, ...]:
    return ordered_splits(divided(_files(folder)))


def class_names(folder: Path) -> tuple[str, ...] | None:
    """The categories of all files, so that every split has the same class ids."""
    names: dict[str, None] = {}
    for file in _files(folder).values():
        names |= dict.fromkeys(_names(_categories_only(file)).values())
    return tuple(names)


def read(folder: Path, split: str | None) -> Sequence[PictureLabels]:
    files = _files(folder)
    chosen = [split] if split else list(files)
    return [labels for each in chosen for labels in _read_file(files[each], folder)]


def picture_folder(split: str | None) -> str:
    return split or "images"


def write(parts: Sequence[Part], labels: LabelMap, folder: Path) -> None:
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    categories = [{"id": id, "name": name, "supercategory": ""} for id, name in enumerate(labels.names, 1)]
    for part in parts:
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for image_id, (picture, example) in enumerate(part.pictures, 1):
            size = {"height": example.height, "width": example.width}
            images.append({"id": image_id, "file_name": picture.name, **size})
            annotations += _annotations(example, image_id, first_id=len(annotations) + 1)
        content = {"images": images, "annotations": annotations, "categories": categories}
        file = folder / "annotations" / f"instances_{part.split or 'default'}.json"
        file.write_text(json.dumps(content), encoding="utf-8")


def _files(folder: Path) -> dict[str, Path]:
    """The label files of a folder, by split: `annotations/instances_train2017.json`,
    `train/_annotations.coco.json`, `train.json`."""
    found = [
        *folder.glob("*.json"),
        *folder.glob("annotations/*.json"),
        *folder.glob("*/_annotations.coco.json"),
    ]
    files: dict[str, Path] = {}
    for path in sorted(found):
        if not path.name.startswith(_OTHER_TASKS) and _looks_right(path):
            split = path.stem.removeprefix("instances_")
            files.setdefault(path.parent.name if path.stem == "_annotations.coco" else split, path)
    return files


def _looks_right(path: Path) -> bool:
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        return bool(_LISTS.search(stream.read(_HEAD)))


def _load(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_text(file))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{file}: is not JSON that can be read ({error}). Mend or replace it.") from error
    if not isinstance(content, dict):
        raise DatasetError(f"{file}: is not a COCO label file: the outermost thing must be an object.")
    for key in ("images", "annotations", "categories"):
        if not _is_list_of_objects(content.get(key)):
            raise DatasetError(f"{file}: has no list '{key}' of objects, which a COCO label file needs.")
    return content


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _categories_only(file: Path) -> list[dict[str, Any]]:
    """The list of categories, without parsing the rest: COCO's own training file has 450 MB."""
    text = read_text(file)
    if found := re.search(r'"categories"\s*:\s*(?=\[)', text):
        try:
            categories, _ = json.JSONDecoder().raw_decode(text, found.end())
        except ValueError:
            categories = None
        if _is_list_of_objects(categories):
            return list(categories)
    return list(_load(file)["categories"])


def _names(categories: Sequence[Mapping[str, Any]]) -> dict[int | str | None, str]:
    """Class names by category id, without mere groups: categories that are the supercategory of others."""
    stated = [(_id(each, "id"), str(each.get("name")), str(each.get("supercategory"))) for each in categories]
    groups = {group for _, name, group in stated if group != name}
    return {category_id: name for category_id, name, _ in stated if name not in groups}


def _id(record: Mapping[str, Any], key: str) -> int | str | None:
    value = record.get(key)
    return value if isinstance(value, int | str) else None


def _read_file(file: Path, folder: Path) -> list[PictureLabels]:
    content = _load(file)
    names = _names(content["categories"])
    finder = _PictureFinder(file, folder)
    pictures: dict[int | str | None, Path] = {}
    for number, image in enumerate(content["images"], 1):
        if (image_id := _id(image, "id")) is None or image_id in pictures:
            raise DatasetError(f"{file}: image {number} needs an 'id' of its own, not {image.get('id')!r}.")
        pictures[image_id] = finder.find(image)
    objects: dict[int | str | None, list[ObjectLabel]] = defaultdict(list)
    flaws: dict[int | str | None, list[Flaw]] = defaultdict(list)
    for number, annotation in enumerate(content["annotations"], 1):
        image_id = _id(annotation, "image_id")
        picture = pictures.get(image_id)
        try:
            if picture is None:
                raise DatasetError(
                    f"belongs to image_id {image_id!r}, which the list 'images' does not hold."
                )
            objects[image_id].append(_read_object(annotation, number, names))
        except DatasetError as error:
            flaws[image_id].append(Flaw("unreadable label", file, number, str(error), picture or file))
    read = [
        PictureLabels(
            picture=pictures[image.get("id")],
            file=file,
            size=_read_size(image),
            objects=tuple(objects[image.get("id")]),
            flaws=tuple(flaws.pop(image.get("id"), ())),
        )
        for image in content["images"]
    ]
    lost = tuple(flaw for some in flaws.values() for flaw in some)
    return [*read, PictureLabels(picture=file, file=file, flaws=lost, usable=False)] if lost else read


class _PictureFinder:
    """Finds pictures by their `file_name`: below the usual folders, else anywhere below the dataset's."""

    def __init__(self, file: Path, folder: Path) -> None:
        split = file.stem.removeprefix("instances_")
        images = folder / "images"
        self._places = [file.parent, folder, folder / split, images, images / split, folder / "data"]
        self._folder = folder
        self._index: dict[str, Path] | None = None

    def find(self, image: Mapping[str, Any]) -> Path:
        stated = Path(str(image.get("file_name", "")).replace("\\", "/"))
        for place in self._places:
            if (place / stated).is_file():
                self._places.remove(place)  # most likely the next picture's too
                self._places.insert(0, place)
                return place / stated
        if self._index is None:
            self._index = index_pictures(self._folder)
        return self._index.get(stated.name, self._folder / stated)


def _read_object(annotation: Mapping[str, Any], number: int, names: Mapping[Any, str]) -> ObjectLabel:
    class_name = names.get(_id(annotation, "category_id"), f"category_id {annotation.get('category_id')}")
    box = annotation.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(_is_number(value) for value in box):
        raise DatasetError(f"'{class_name}' has bbox {box!r}; it needs four numbers: x, y, width, height.")
    x, y, width, height = map(float, box)
    area = annotation.get("area")
    return ObjectLabel(
        number=number,
        name=class_name,
        box=(x, y, x + width, y + height),
        stated=f"bbox {x:g}, {y:g}, {width:g}, {height:g}",
        difficult=bool(annotation.get("difficult")),
        truncated=bool(annotation.get("truncated")),
        crowd=bool(annotation.get("iscrowd")),
        area=float(area) if isinstance(area, int | float) and 0 < area < math.inf else None,
    )


def _annotations(example: Example, image_id: int, *, first_id: int) -> list[dict[str, Any]]:
    """`difficult` and `truncated` are no part of COCO; programs that do not know them pass them over."""
    annotations = []
    for index, (x1, y1, x2, y2) in enumerate(example.boxes.astype(float).tolist()):
        annotation = {
            "id": first_id + index,
            "image_id": image_id,
            "category_id": int(example.class_ids[index]) + 1,
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "area": float(example.areas[index]),
            "iscrowd": int(example.crowd[index]),
        }
        for flag in ("difficult", "truncated"):
            if getattr(example, flag)[index]:
                annotation[flag] = 1
        annotations.append(annotation)
    return annotations


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _read_size(image: Mapping[str, Any]) -> tuple[int, int] | None:
    height, width = image.get("height"), image.get("width")
    if isinstance(height, int) and isinstance(width, int) and height > 0 and width > 0:
        return height, width
    return None
