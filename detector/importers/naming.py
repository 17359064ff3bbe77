"""What the classes of a foreign network are called."""

import zipfile
from pathlib import Path

from detector.class_names import UNUSED, known_class_names, parse_class_names, read_class_names
from detector.errors import ImportFileError

_BACKGROUND = ("background", "__background__", UNUSED)
# lists that a network of so many classes has nearly always learnt; which one is said aloud
_KNOWN = {
    20: ("voc", "the 20 of VOC (assets/labels/voc.txt)"),
    80: ("coco", "the 80 of COCO (assets/labels/coco.txt)"),
    90: ("coco-90", "COCO's 90 ids (assets/labels/coco-90.txt)"),
}


def class_names(file: Path, count: int, names_file: Path | None) -> tuple[tuple[str, ...], str]:
    """A name for each class of a network, and a sentence that says where they come from.

    file        the network; may carry its names (TFLite metadata: a text file zipped behind the network)
    count       classes without background
    names_file  the person's own list, which wins
    returns     `count` names; `???` for an id that no class has
    raises      ImportFileError when nobody names them, or names another number of them
    """
    if names_file is not None:
        return _fitting(
            read_class_names(names_file), count, str(names_file)
        ), f"Classes named by {names_file}."
    if attached := _attached_names(file):
        return _fitting(attached, count, f"the list in {file.name}"), f"Classes named by {file.name} itself."
    if count in _KNOWN:
        known, words = _KNOWN[count]
        return known_class_names(known), f"Nobody names the {count} classes: taken for {words}."
    raise ImportFileError(
        f"{file.name} does not say what its {count} classes are called; "
        "name them with --classes FILE, one a line."
    )


def _fitting(names: tuple[str, ...], count: int, of: str) -> tuple[str, ...]:
    if len(names) == count + 1 and names[0].lower() in _BACKGROUND:
        return names[1:]
    if len(names) != count:
        raise ImportFileError(
            f"The file has {count} + 1 classes (the first is background), but {of} names {len(names)}."
        )
    return names


def _attached_names(file: Path) -> tuple[str, ...] | None:
    if not zipfile.is_zipfile(file):
        return None
    try:
        with zipfile.ZipFile(file) as archive:
            lists = [name for name in archive.namelist() if name.lower().endswith(".txt")]
            if not lists:
                return None
            lines = archive.read(lists[0]).decode("utf-8").splitlines()
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise ImportFileError(f"The class names attached to {file.name} cannot be read: {error}.") from error
    return parse_class_names(lines, of=f"the list in {file.name}")
