"""How long the start took, measured from the birth of the process."""

import logging
import os
import time
from pathlib import Path

logger = logging.getLogger(__name__)

_imported_at = time.monotonic()
_noted: set[str] = set()


def note_once(what: str) -> None:
    """Logs, the first time it is called with these words, how long after the start that was."""
    if what not in _noted:
        _noted.add(what)
        logger.info("%s %.2f s after the start", what, seconds_since_start())


def seconds_since_start() -> float:
    """Since the process was made; where the system does not say, since this module was imported."""
    try:
        # Field 22 is the start in ticks since boot; the name in field 2 may hold spaces.
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started
    except (OSError, ValueError, AttributeError):
        return time.monotonic() - _imported_at
