"""Whole numbers with a lower bound, as types for argparse: all else is a usage error, with a sentence."""

import argparse
from collections.abc import Callable


def at_least(smallest: int) -> Callable[[str], int]:
    """Reads whole numbers that are not below `smallest`."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = smallest - 1
        if number < smallest:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of {smallest} or more")
        return number

    return read
