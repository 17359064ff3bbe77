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
from trainer.datasets.example import Flaw
from trainer.datasets.folders import find_folder, index_pictures, ordered_splits, read_names
from trainer.datasets.labels import ObjectLabel, PictureLabels

name = "voc"
least_side = 1.0
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def recognises(folder: Path) -> bool:
    return any(True for _ in _label_folder(folder).glob("*.xml"))


def splits(folder: Path) -> tuple[str, ...]:
    return ordered_splits(
        path.stem for path in (folder / "ImageSets" / "Main").glob("*.txt") if _is_list(path)
    )


def class_names(folder: Path) -> tuple[str, ...] | None:
    return read_names(folder)


def read(folder: Path, split: str | None) -> Sequence[PictureLabels]:
    label_folder = _label_folder(folder)
    pictures = index_pictures(find_folder(folder, ("JPEGImages", "images")) or label_folder)
    if split is None:
        return [_read_file(path, pictures) for path in sorted(label_folder.glob("*.xml"))]
    listed = folder / "ImageSets" / "Main" / f"{split}.txt"
    stems = [line.split()[0] for line in listed.read_text().splitlines() if line.strip()]
    return [_read_file(label_folder / f"{stem}.xml", pictures) for stem in stems]


def _label_folder(folder: Path) -> Path:
    return find_folder(folder, ("Annotations", "annotations")) or folder


def _is_list(path: Path) -> bool:
    """Lists of pictures, not the lists of one class ("000005 -1") that lie beside them."""
    with path.open() as lines:
        return len(lines.readline().split()) == 1


def _read_file(path: Path, pictures: dict[str, Path]) -> PictureLabels:
    missing = pictures.get(path.stem, path.with_suffix(".jpg"))
    try:
        root = ElementTree.parse(path).getroot()
    except FileNotFoundError:
        flaw = Flaw(
            "missing label", path, None, "this label file is listed but does not exist. Add it or unlist it."
        )
        return PictureLabels(picture=missing, file=path, flaws=(flaw,))
    except (ElementTree.ParseError, UnicodeDecodeError, OSError) as error:
        flaw = Flaw(
            "unreadable label", path, None, f"is not XML that can be read ({error}). Mend or remove the file."
        )
        return PictureLabels(picture=missing, file=path, flaws=(flaw,))
    objects, flaws = [], []
    for number, element in enumerate(root.findall("object"), 1):
        try:
            objects.append(_read_object(element, number))
        except DatasetError as error:
            flaws.append(Flaw("unreadable label", path, number, str(error)))
    # Before <filename>, which is often stale: people rename files, not what is in them.
    stated = root.findtext("filename", "").strip()
    picture = pictures.get(path.stem) or pictures.get(stated) or pictures.get(Path(stated).stem) or missing
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


def _number(corners: ElementTree.Element, corner: str, class_name: str) -> float:
    text = corners.findtext(corner, "").strip()
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DatasetError(
            f"'{class_name}' has <{corner}> '{text}', which is not a number. Correct or delete it."
        )
    return value


def _flag(element: ElementTree.Element, name: str) -> bool:
    return element.findtext(name, "0").strip() not in ("0", "")


def _read_size(root: ElementTree.Element) -> tuple[int, int] | None:
    try:
        height, width = int(root.findtext("size/height", "")), int(root.findtext("size/width", ""))
    except ValueError:
        return None
    return (height, width) if height > 0 and width > 0 else None
