"""Where recordings and snapshots go when nobody gives them a name."""

import re
from datetime import datetime
from pathlib import Path

from app.recording.clip import part_path
from app.recording.part_file import make_folder
from detector.places import recordings_folder


def new_path(source_name: str, suffix: str, *, folder: str = "", now: datetime | None = None) -> Path:
    """A name nothing has yet: the source and the time, as in walk_20260214-153000.mp4.

    source_name  fit to be shown; of an address only the host remains, so no secret can get into a file name
    suffix       ".mp4"
    folder       empty: the person's own for videos; made when missing
    raises       RecordingError when the folder cannot be made
    """
    place = Path(folder).expanduser() if folder else recordings_folder()
    make_folder(place)
    stem = f"{stem_of(source_name)}_{now or datetime.now():%Y%m%d-%H%M%S}"
    path, number = place / f"{stem}{suffix}", 2
    while path.exists() or part_path(path).exists():
        path, number = place / f"{stem}-{number}{suffix}", number + 1
    return path


def stem_of(source_name: str) -> str:
    """What files of a source are called; of an address only the host remains."""
    if "://" in source_name:
        rest = source_name.partition("://")[2].rpartition("@")[2]
        host = re.match(r"\[[^\]]*\]|[^:/?#]*", rest)
        source_name = host.group() if host else ""
    else:
        source_name = Path(source_name).stem or source_name
    return re.sub(r"[^\w-]+", "-", source_name).strip("-")[:60] or "source"
