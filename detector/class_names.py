"""Lists of class names, and which names of different lists mean the same."""

import json
from collections.abc import Iterable
from pathlib import Path

from detector.errors import OptionError
from detector.places import assets_folder

UNUSED = "???"  # stands in a list for an id that no class has


def read_class_names(path: Path) -> tuple[str, ...]:
    """The names of a text file, one a line, in the order of the ids; `???` where an id is not used.

    raises  OptionError when the file cannot be read, is empty, or names a class twice
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise OptionError(f"The class names {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise OptionError(f"The class names {path} cannot be read as text; save them as UTF-8.") from error
    return parse_class_names(lines, of=str(path))


def parse_class_names(lines: Iterable[str], *, of: str) -> tuple[str, ...]:
    """The same from the lines of a file; blank lines at its end do not count."""
    names = [line.strip() for line in lines]
    while names and not names[-1]:
        names.pop()
    if not any(names):
        raise OptionError(f"{of} names no class; write one name a line.")
    seen: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        if not name:
            raise OptionError(f"{of}, line {number} is blank; write {UNUSED} for an id that is not used.")
        if name != UNUSED and name in seen:
            raise OptionError(f"{of}: '{name}' stands in line {seen[name]} and again in line {number}.")
        seen[name] = number
    return tuple(names)


def known_class_names(name: str) -> tuple[str, ...]:
    """A list that ships: `coco` (80), `coco-90` (by annotation id, with holes) or `voc` (20)."""
    return read_class_names(assets_folder() / "labels" / f"{name}.txt")


class Aliases:
    """Names that mean the same: `tvmonitor` is `tv`."""

    def __init__(self, groups: Iterable[Iterable[str]]) -> None:
        self._groups: dict[str, set[str]] = {}
        for group in groups:
            self._join(set(group))

    @staticmethod
    def shipped() -> "Aliases":
        """Those between the names of VOC and COCO."""
        text = (assets_folder() / "labels" / "aliases.json").read_text(encoding="utf-8")
        return Aliases(json.loads(text))

    def with_pair(self, one: str, other: str) -> "Aliases":
        """These and one more."""
        return Aliases([*self._groups.values(), (one, other)])

    def find(self, name: str, among: Iterable[str]) -> str | None:
        """The name itself if it is among them, else the first that means the same, else None."""
        names = tuple(among)
        if name in names:
            return name
        same = self._groups.get(name, set())
        return next((each for each in names if each in same), None)

    def _join(self, group: set[str]) -> None:
        joined = group.union(*(self._groups.get(name, ()) for name in group))
        for name in joined:
            self._groups[name] = joined
