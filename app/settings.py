"""What the program remembers from one start to the next."""

import contextlib
import dataclasses
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from app.events import Regions
from app.private_file import replace_private
from app.redaction import without_credentials
from detector.errors import OptionError
from detector.places import config_folder

logger = logging.getLogger(__name__)

_RECENT = 12
THEMES = ("dark", "light", "system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything has a default, so a first start and a lost file are the same.

    recent_sources      addresses without user names and passwords, newest first
    model               its name; empty: none chosen yet
    min_score, nms_iou  None: as the model's card says
    geometry            of the window, as text; empty: as the system places it
    theme               one of THEMES
    recording_folder    where recordings and snapshots go; empty: the person's videos
    recording           how recordings are made, as `app.keeping.Wishes` writes it
    regions             zones and lines by the address of their source, as `Regions.to_json` writes them
    keep_events         events are written to the disk, with pictures
    on_event            a command or web address for each event; empty: none
    """

    recent_sources: tuple[str, ...] = ()
    model: str = ""
    min_score: float | None = None
    nms_iou: float | None = None
    geometry: str = ""
    theme: str = "dark"  # video is best watched so
    recording_folder: str = ""
    recording: Mapping[str, Any] = field(default_factory=dict)
    regions: Mapping[str, Any] = field(default_factory=dict)
    keep_events: bool = False  # pictures of people are kept only when somebody wants them
    on_event: str = ""

    @classmethod
    def load(cls) -> Self:
        """What was saved; what cannot be read is replaced by its default, with a warning."""
        path = _path()
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(stored, dict):
                raise ValueError("no object")
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError) as error:
            logger.warning("%s cannot be read (%s); the settings begin anew", path, error)
            return cls()
        return cls(**{name: value for name, value in map(_checked, stored.items()) if name})

    def save(self) -> None:
        """Replaces what was saved, whole or not at all; a failure is only logged: no work depends on it."""
        path = _path()
        content = json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"
        try:
            replace_private(path, content)
        except OSError as error:
            logger.warning("The settings could not be saved in %s: %s", path, error.strerror)

    def with_source(self, address: str) -> Self:
        """The same after a source was opened: it is the newest of the recent ones."""
        kept = _kept(address)
        older = (recent for recent in self.recent_sources if recent != kept)
        return replace(self, recent_sources=(kept, *older)[:_RECENT])

    def without_source(self, address: str) -> Self:
        """The same after a recent source was struck off the list."""
        return replace(self, recent_sources=tuple(kept for kept in self.recent_sources if kept != address))

    def regions_of(self, address: str) -> Regions:
        """The zones and lines of a source; none where what was stored makes no sense."""
        try:
            return Regions.from_json(self.regions.get(_kept(address), {}))
        except OptionError as error:
            logger.warning("The zones of %s cannot be read: %s", _kept(address), error)
            return Regions()

    def with_regions(self, address: str, regions: Regions) -> Self:
        """The same after zones and lines of a source were drawn."""
        others = {name: kept for name, kept in self.regions.items() if name != _kept(address)}
        return replace(self, regions=others | ({_kept(address): regions.to_json()} if regions else {}))


def _kept(address: str) -> str:
    """The name a source is remembered by: no password, and the whole path of a file."""
    kept = without_credentials(address)
    with contextlib.suppress(OSError, RuntimeError, ValueError):  # no name of a file
        path = Path(kept).expanduser()
        if not kept.isdecimal() and path.exists():
            kept = str(path.resolve())
    return kept


def _path() -> Path:
    return config_folder() / "settings.json"


def _checked(entry: tuple[str, Any]) -> tuple[str, Any]:
    """A stored value in its type; an empty name where it is to be left out."""
    name, value = entry
    match name, value:
        case (("model" | "geometry" | "recording_folder" | "on_event"), str()):
            return name, value
        case "theme", str() if value in THEMES:
            return name, value
        case "recent_sources", list() if all(isinstance(address, str) for address in value):
            return name, tuple(value)[:_RECENT]
        case (("min_score" | "nms_iou"), int() | float()) if 0 <= value <= 1 and value is not True:
            return name, float(value)
        case (("regions" | "recording"), dict()):
            return name, value
        case "keep_events", bool():
            return name, value
        case _, None:
            return "", None
    known = {field.name for field in dataclasses.fields(Settings)}
    if name in known:
        logger.warning("The setting %s = %r means nothing; its default is used", name, value)
    return "", None
