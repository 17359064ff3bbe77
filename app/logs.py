"""What is kept for the morning after: the log, and where the process stood when it crashed; both redacted.

The log is a file of its owner's alone. On stderr a person sees warnings, a sentence each, without tracebacks.
"""

import contextlib
import faulthandler
import logging
import os
import threading
from pathlib import Path

from app.redaction import redact, redact_logs
from detector.errors import OptionError, StudioError
from detector.places import log_folder

logger = logging.getLogger(__name__)

_LONGEST = 1_000_000  # bytes; then the log is begun anew and the one before kept beside it


def log_path() -> Path:
    return log_folder() / "ssd-studio.log"


def crash_path() -> Path:
    """Where every thread stood when a library took the process down; empty or absent while none did."""
    return log_folder() / "crashes.txt"


def configure_logs(level: str) -> None:
    """From now on everything is redacted, INFO and graver is kept in a file, and `level` is said on stderr.

    raises  OptionError for a level there is not
    """
    redact_logs()
    levels = logging.getLevelNamesMapping()
    if level.upper() not in levels:
        raise OptionError(f"SSD_STUDIO_LOG cannot be '{level}'; it is one of {', '.join(levels)}.")
    root = logging.getLogger()
    if root.handlers:  # whoever runs us has an opinion of his own
        return
    threading.excepthook = _hear_thread
    said = logging.StreamHandler()
    said.setLevel(level.upper())
    plain = "%(levelname)s %(name)s: %(message)s"
    said.setFormatter(logging.Formatter(plain) if said.level < logging.WARNING else _Brief(plain))
    kept = LogFile(logging.INFO)
    kept.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    for handler in (said, kept):
        root.addHandler(handler)
    root.setLevel(min(said.level, kept.level))


def keep_crashes() -> None:
    """Has the interpreter write where it stood, should a library crash this process."""
    with contextlib.suppress(OSError):
        faulthandler.enable(_opened(crash_path()))


def report_defect(error: Exception) -> str:
    """Keeps the traceback of a defect of ours in the log; returns what to tell."""
    if isinstance(error, PermissionError) and error.filename is not None:  # the person's to mend, wherever
        return redact(f"{error.filename}: may not be used; check its permissions and those of its folder.")
    # An error only of the file: stderr gets the sentence.
    logger.info("defect", exc_info=error)
    what = f"{type(error).__name__}: {error}"
    return redact(f"This is a defect of the program, not of yours: {what} (details in {log_path()}).")


class LogFile(logging.Handler):
    """Appends each record to `log_path()`; opened for each, so that several programs may write to one file.

    What cannot be written is lost silently: a full disk is told by those who need the disk.
    """

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):
            with os.fdopen(_opened(log_path()), "a", encoding="utf-8", errors="replace") as file:
                file.write(self.format(record) + "\n")
                full = file.tell() > _LONGEST
            if full:
                log_path().replace(log_path().with_suffix(".old.log"))


class _Brief(logging.Formatter):
    """The message alone: tracebacks are for the file."""

    def format(self, record: logging.LogRecord) -> str:
        record.message = record.getMessage()
        return self.formatMessage(record)


def _hear_thread(mishap: threading.ExceptHookArgs) -> None:
    error = mishap.exc_value
    if isinstance(error, StudioError):
        logger.error("%s", error)
    elif error is not None and not isinstance(error, SystemExit):
        kind = type(error).__name__
        logger.error("A part of the program failed (%s); details in %s", kind, log_path(), exc_info=error)


def _opened(path: Path) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
