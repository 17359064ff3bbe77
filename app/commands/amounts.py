"""Sizes, lengths of time and numbers with bounds as people write them: 50GB, 10m, 0.5."""

import argparse
import math
import re
from collections.abc import Callable

from detector.errors import OptionError

_SIZES = {"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
_TIMES = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)", re.IGNORECASE)


def read_size(text: str, *, option: str) -> int:
    """Bytes of "50GB".

    raises  OptionError that names the option
    """
    return round(_read(text, _SIZES, option, "500MB or 50GB"))


def read_time(text: str, *, option: str) -> float:
    """Seconds of "90s", "10m", "2h" or "7d".

    raises  OptionError that names the option
    """
    return _read(text, _TIMES, option, "90s, 10m, 2h or 7d")


def read_time_or_size(text: str, *, option: str) -> tuple[float | None, int | None]:
    """Seconds or bytes; "10m" is ten minutes, "10MB" a size.

    raises  OptionError that names the option
    """
    if text.strip().lower().endswith("b"):
        return None, read_size(text, option=option)
    return read_time(text, option=option), None


def above_zero(text: str) -> float:
    """A type for argparse: any number above 0, with an end."""
    number = _number(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0")
    return number


def from_0_to_1(text: str) -> float:
    """A type for argparse: a score, or a share."""
    number = _number(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 0 to 1")
    return number


def height_by_width(text: str) -> tuple[int, int]:
    """A type for argparse: pixels of "300x480"."""
    height, _, width = text.lower().partition("x")
    if not (height.isdecimal() and width.isdecimal() and min(int(height), int(width)) > 0):
        raise argparse.ArgumentTypeError(f"'{text}' is no size; write height x width, such as 300x480")
    return int(height), int(width)


def at_least(smallest: int) -> Callable[[str], int]:
    """A type for argparse: whole numbers that are not below `smallest`."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = smallest - 1
        if number < smallest:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of {smallest} or more")
        return number

    return read


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _read(text: str, units: dict[str, float], option: str, examples: str) -> float:
    match = _AMOUNT.fullmatch(text.strip())
    unit = units.get(match.group(2).lower()) if match else None
    if match is None or unit is None or float(match.group(1)) == 0:
        raise OptionError(f"{option} '{text}' cannot be read; write {examples}.")
    return float(match.group(1)) * unit
