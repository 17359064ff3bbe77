"""Sources that are watched together: a text file with an address in each line."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from app.redaction import without_credentials
from app.sources import path_of
from detector.errors import OptionError

SUFFIX = ".sources"
MOST = 16  # sources in one window: pictures in more than four rows of four tell nobody anything
_HEAD = "# Sources that SSD Studio watches together: a file, camera number or address in each line.\n"


def is_set(address: str) -> bool:
    """Whether an address means a file with several."""
    path = path_of(address)
    return path is not None and path.suffix == SUFFIX


def read_set(path: Path) -> tuple[str, ...]:
    """The addresses in a file. Files in it are looked for beside it; empty lines and # comments are left out.

    raises  OptionError when it cannot be read, holds none, or holds another set
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise OptionError(
            f"{path}: cannot be read ({reason}); it should hold an address in each line."
        ) from error
    lines = (line.strip() for line in text.splitlines())
    addresses = tuple(_beside(path, line) for line in lines if line and not line.startswith("#"))
    if not addresses:
        raise OptionError(f"{path}: holds no source; write a file, camera number or address in each line.")
    if any(is_set(address) for address in addresses):
        raise OptionError(f"{path}: holds another set of sources; write its addresses here instead.")
    return addresses


def write_set(path: Path, addresses: Sequence[str]) -> Path:
    """Writes them without user names and passwords, which are kept elsewhere.

    path     ".sources" is added where it is missing
    returns  what was written
    raises   OptionError when it cannot be
    """
    path = path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)
    try:
        path.write_text(_HEAD + "".join(f"{_kept(address)}\n" for address in addresses), encoding="utf-8")
    except OSError as error:
        raise OptionError(f"{path}: cannot be written ({error.strerror}); choose another place.") from error
    return path


def expand(addresses: Iterable[str]) -> tuple[str, ...]:
    """The same, with what is in each set in place of it.

    raises  OptionError, as `read_set`
    """
    expanded: list[str] = []
    for address in addresses:
        path = path_of(address) if is_set(address) else None
        expanded += [address] if path is None else read_set(path)
    return tuple(expanded)


def side_by_side(addresses: Iterable[str]) -> tuple[str, ...]:
    """As `expand`, for pictures in one window.

    raises  OptionError when they are too many, too
    """
    expanded = expand(addresses)
    if len(expanded) > MOST:
        raise OptionError(f"{len(expanded)} sources are too many at once; {MOST} can be watched together.")
    return expanded


def _beside(path: Path, address: str) -> str:
    file = path_of(address)
    return address if file is None or address.isdecimal() else str(path.parent / file)


def _kept(address: str) -> str:
    kept = without_credentials(address)
    file = path_of(kept)
    return kept if file is None else str(file.resolve())
