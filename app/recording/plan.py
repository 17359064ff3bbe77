"""What a person wants recorded, how, and within which limits."""

import enum
from dataclasses import dataclass, field

from app.recording.codecs import DEFAULT_CODEC
from app.recording.disk import DiskLimits
from app.recording.quota import Quota
from app.recording.reel import Cutting


class Mode(enum.Enum):
    """What is in the video."""

    ANNOTATED = "annotated"  # boxes drawn in
    CLEAN = "clean"  # as the camera sees it; coded as the camera coded it, where that is possible
    SIDECAR = "sidecar"  # clean, and the boxes beside it


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingPlan:
    """Everything that is chosen before a recording begins.

    on_sight  whether it is an event that there is something to be seen; else only what is told counts
    codec     a name of `codecs.CODECS`, where something has to be encoded
    quota     of the folder that is recorded to
    force     replace files of the names that were given
    """

    mode: Mode = Mode.ANNOTATED
    cutting: Cutting = field(default_factory=Cutting)
    on_sight: bool = True
    codec: str = DEFAULT_CODEC
    limits: DiskLimits = field(default_factory=DiskLimits)
    quota: Quota = field(default_factory=Quota)
    force: bool = False
