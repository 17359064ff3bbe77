"""A file that is replaced whole or not at all, and that its owner alone can read."""

import os
import tempfile
from pathlib import Path


def replace_private(path: Path, text: str) -> None:
    """Puts the text in place of what the file held; its folder is made when missing.

    raises  OSError; what was there before is still there then
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # 0600 from its first byte
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
