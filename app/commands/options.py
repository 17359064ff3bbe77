"""Options that several commands have: the same name, the same words, the same reading."""

import argparse

from detector.errors import OptionError


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """How the model is run; see `detector.engines.open_engine`."""
    add = parser.add_argument
    add("--engine", metavar="NAME", default="auto", help="auto, openvino or keras (default: auto)")
    add("--device", metavar="NAME", default="auto", help="auto, cpu or gpu (default: auto)")
    add("--precision", metavar="NAME", default="auto", help="auto, float32, bfloat16 or int8 (default: auto)")


def add_capture_option(parser: argparse.ArgumentParser) -> None:
    """How files and streams are read; see `app.sources.open_source`."""
    words = "auto, or opencv: read files and streams by OpenCV as well (default: auto)"
    parser.add_argument("--capture", metavar="NAME", default="auto", help=words)


def read_pair(text: str, *, option: str) -> tuple[str, str]:
    """Both sides of A=B.

    raises  OptionError that names the option
    """
    one, _, other = (part.strip() for part in text.partition("="))
    if not (one and other):
        raise OptionError(f"{option} '{text}' cannot be read; write A=B.")
    return one, other
