"""What readers of all formats ask of a folder: where its pictures are, how it is divided, its classes."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from imutils.paths import list_images

_USUAL_ORDER = ("train", "valid", "val", "validation", "trainval", "test")


def find_folder(folder: Path, names: Sequence[str]) -> Path | None:
    """The first of these subfolders that exists."""
    return next((folder / name for name in names if (folder / name).is_dir()), None)


def index_pictures(folder: Path) -> dict[str, Path]:
    """Pictures anywhere below a folder, by file name and by name without extension; the first of two wins."""
    index: dict[str, Path] = {}
    for found in sorted(list_images(str(folder))):
        path = Path(found)
        index.setdefault(path.name, path)
        index.setdefault(path.stem, path)
    return index


def ordered_splits(names: Iterable[str]) -> tuple[str, ...]:
    """Splits in the order people name them: train, val, test, then the rest."""

    def rank(name: str) -> tuple[int, str]:
        return (_USUAL_ORDER.index(name) if name in _USUAL_ORDER else len(_USUAL_ORDER), name)

    return tuple(sorted(set(names), key=rank))


def read_names(folder: Path) -> tuple[str, ...] | None:
    """Class names from labels.txt or classes.txt, one a line; None when there is neither."""
    for file in (folder / "labels.txt", folder / "classes.txt"):
        if file.is_file():
            lines = file.read_text(encoding="utf-8-sig").splitlines()
            return tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
    return None
