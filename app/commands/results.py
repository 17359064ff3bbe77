"""Files that commands write: never over one that exists unless told; refused before the work begins."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detector.errors import OptionError, StudioError


def refuse_existing(path: Path | None, *, force: bool) -> None:
    """raises  OptionError when there is such a file and `force` was not given"""
    if path and path.exists() and not force:
        raise OptionError(f"{path} exists already; --force replaces it.")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """raises  StudioError when the file cannot be written"""
    write_file(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def write_file(path: Path, content: bytes) -> None:
    """The folder is made when missing.

    raises  StudioError when the file cannot be written
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise StudioError(f"{path} cannot be written ({error.strerror}); choose another folder.") from error
