"""What a decoding child tells while it reads, as the program understands it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from app.sources.packets import Packet, StreamFormat
from detector.values import Pixels


@dataclass(frozen=True, slots=True)
class Begun:
    pass


@dataclass(frozen=True, slots=True)
class Opened:
    """As the attributes of Source; `words` for what was granted."""

    live: bool
    seekable: bool
    duration: float | None
    rate: float | None
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A picture, in memory of its own.

    pts  seconds of the medium
    """

    pixels: Pixels
    pts: float
    captured_at: float


@dataclass(frozen=True, slots=True)
class Alive:
    """searching: the next picture is being looked for after a seek."""

    searching: bool


@dataclass(frozen=True, slots=True)
class Place:
    """name: of the file that follows; place: how to go on there."""

    name: str
    place: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ended:
    """sought: whether the newest seek had been heard of by then."""

    sentence: str
    sought: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """state: the name of a State, or of an exception nobody had thought of (without a sentence)."""

    sentence: str
    state: str
    wait: float | None


Event: TypeAlias = Begun | Opened | Shot | Alive | Place | StreamFormat | Packet | Ended | Failed
