"""What readers of all formats ask of a folder: where its pictures are, how it is divided, its classes."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from imutils.paths import list_files

from detector.class_names import read_class_names
from detector.errors import DatasetError
from detector.values import LabelMap

_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
# The names people give to the parts of a dataset, in the order they list them.
_SPLITS = ("train", "training", "valid", "val", "validation", "trainval", "test", "testing")

_SAME_SPLIT = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def read_text(path: Path) -> str:
    """The text of a file, without the mark that some editors put before it.

    raises  DatasetError when it cannot be read as text
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: is not text ({error.reason}). Save it as UTF-8.") from error
    if "\0" in text:  # UTF-16, or no text at all; and a file name with it could not be opened
        raise DatasetError(f"{path}: is not text (it holds zero bytes). Save it as UTF-8.")
    return text


def find_folder(folder: Path, names: Sequence[str]) -> Path | None:
    """The first of these subfolders that exists."""
    return next((folder / name for name in names if (folder / name).is_dir()), None)


def index_pictures(folder: Path) -> dict[str, Path]:
    """Pictures anywhere below a folder, by file name and by name without extension; the first of two wins."""
    index: dict[str, Path] = {}
    for found in sorted(list_files(str(folder), validExts=_PICTURES)):
        path = Path(found)
        index.setdefault(path.name, path)
        index.setdefault(path.stem, path)
    return index


def ordered_splits(names: Iterable[str]) -> tuple[str, ...]:
    """Splits in the order people name them: train, val, test, then the rest."""

    def rank(name: str) -> tuple[int, str]:
        if name in _SPLITS:
            return _SPLITS.index(name), name
        alike = (rank for rank, usual in enumerate(_SPLITS) if name.startswith(usual))  # train2017
        return next(alike, len(_SPLITS)), name

    return tuple(sorted(set(names), key=rank))


def usual_name(split: str) -> str:
    """What most call a split: `val` for `valid` and `validation`; others keep their name."""
    return _SAME_SPLIT.get(split, split)


def without_year(split: str) -> str:
    """`train` for COCO's `train2017`."""
    return split.rstrip("0123456789")


def divided(names: Iterable[str]) -> tuple[str, ...]:
    """The names of label files as splits; a single file is one only if it is called so."""
    found = tuple(names)
    return found if len(found) > 1 or any(name.startswith(_SPLITS) for name in found) else ()


def split_folders(folder: Path, holds_labels: Callable[[Path], bool]) -> tuple[str, ...]:
    """Subfolders called train, val, test ... that hold labels of their own."""
    return tuple(name for name in _SPLITS if (folder / name).is_dir() and holds_labels(folder / name))


def read_names(folder: Path) -> tuple[str, ...] | None:
    """Class names from labels.txt or classes.txt, one a line; None when there is neither."""
    for file in (folder / "labels.txt", folder / "classes.txt"):
        if file.is_file():
            return read_class_names(file)
    return None


def write_names(folder: Path, labels: LabelMap) -> None:
    """Class names in the order of their ids, as `read_names` finds them."""
    (folder / "labels.txt").write_text("".join(f"{name}\n" for name in labels.names), encoding="utf-8")


def plain_number(value: float) -> str:
    """The shortest text that is read back as the same number: 3, not 3.0."""
    return str(int(value)) if value.is_integer() else repr(value)
