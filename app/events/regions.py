"""Zones and lines in a picture: named, and in shares of its width and height, so that any size of it fits."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.errors import OptionError

Corner = tuple[float, float]  # x, y: 0..1 of width and height


@dataclass(frozen=True, slots=True)
class Zone:
    """An area: who stands in it is inside. `corners` are three or more, in order around it."""

    name: str
    corners: tuple[Corner, ...]

    def __post_init__(self) -> None:
        _check(self.name, self.corners)
        if len(self.corners) < 3 or abs(_area(self.corners)) < 1e-6:
            raise OptionError(f"The zone '{self.name}' has no area; give it three corners or more.")


@dataclass(frozen=True, slots=True)
class Line:
    """A stretch to be crossed. Who crosses it to the left of one who walks from start to end goes in."""

    name: str
    start: Corner
    end: Corner

    def __post_init__(self) -> None:
        _check(self.name, (self.start, self.end))
        if self.start == self.end:
            raise OptionError(f"The line '{self.name}' has no length; give it two ends.")


Region = Zone | Line


@dataclass(frozen=True, slots=True)
class Regions:
    """All zones and lines of one source, as they were drawn; no two of a name."""

    all: tuple[Region, ...] = ()

    def __post_init__(self) -> None:
        names = [region.name for region in self.all]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise OptionError(f"Two zones or lines are called '{twice}'; give one another name.")

    def __bool__(self) -> bool:
        return bool(self.all)

    @property
    def zones(self) -> tuple[Zone, ...]:
        return tuple(region for region in self.all if isinstance(region, Zone))

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(region for region in self.all if isinstance(region, Line))

    def with_region(self, region: Region, *, instead_of: str = "") -> "Regions":
        """With one more, or with one in the place of another."""
        if any(kept.name == instead_of for kept in self.all):
            return Regions(tuple(region if kept.name == instead_of else kept for kept in self.all))
        return Regions((*self.all, region))

    def without(self, name: str) -> "Regions":
        return Regions(tuple(region for region in self.all if region.name != name))

    def to_json(self) -> dict[str, Any]:
        return {
            "zones": [
                {"name": zone.name, "corners": [list(at) for at in zone.corners]} for zone in self.zones
            ],
            "lines": [
                {"name": line.name, "start": list(line.start), "end": list(line.end)} for line in self.lines
            ],
        }

    @staticmethod
    def from_json(stored: object) -> "Regions":
        """raises  OptionError that says what is wrong"""
        if isinstance(stored, dict):
            zones, lines = stored.get("zones", []), stored.get("lines", [])
            if isinstance(zones, list) and isinstance(lines, list):
                return Regions((*map(_zone, zones), *map(_line, lines)))
        raise OptionError('Zones are written {"zones": [...], "lines": [...]}.')


def read_regions(path: Path) -> Regions:
    """What a file of `Regions.to_json` holds.

    raises  OptionError that names the file
    """
    try:
        return Regions.from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise OptionError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise OptionError(f"{path} is not JSON ({error}); write zones as 'detect --help' shows.") from error
    except OptionError as error:
        raise OptionError(f"{path}: {error}") from error


def _zone(stored: object) -> Zone:
    match stored:
        case {"name": str(name), "corners": list(corners)}:
            return Zone(name, tuple(map(_corner, corners)))
    raise OptionError('A zone is written {"name": "door", "corners": [[0.1, 0.2], ...]}.')


def _line(stored: object) -> Line:
    match stored:
        case {"name": str(name), "start": start, "end": end}:
            return Line(name, _corner(start), _corner(end))
    raise OptionError('A line is written {"name": "gate", "start": [0.1, 0.5], "end": [0.9, 0.5]}.')


def _corner(stored: object) -> Corner:
    match stored:
        case [int() | float() as x, int() | float() as y]:
            return float(x), float(y)
    raise OptionError(f"{json.dumps(stored)[:60]} is no place in a picture; write [0.25, 0.5].")


def _check(name: str, corners: Sequence[Corner]) -> None:
    if not name.strip():
        raise OptionError("A zone or line needs a name.")
    if not all(0 <= share <= 1 for at in corners for share in at):
        raise OptionError(f"'{name}' lies outside the picture: its places are shares from 0 to 1.")


def _area(corners: Sequence[Corner]) -> float:
    """Signed, by the shoelace formula."""
    following = (*corners[1:], corners[0])
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(corners, following)) / 2
