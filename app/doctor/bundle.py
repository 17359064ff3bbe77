"""A report that may be shown to others: findings, log, settings, where it crashed; all of it redacted."""

import contextlib
import os
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from app.doctor.findings import Finding
from app.recording.part_file import reason
from app.redaction import redact
from detector.errors import StudioError
from detector.places import config_folder, log_folder


def write_bundle(path: Path, findings: Iterable[Finding]) -> list[str]:
    """Writes the report for its owner alone; returns the names of what is in it.

    raises  StudioError when it cannot be written
    """
    texts = {"doctor.txt": "".join(f"{finding.line()}\n" for finding in findings)}
    for file in (config_folder() / "settings.json", *sorted(log_folder().glob("*"))):
        with contextlib.suppress(OSError):
            if text := file.read_text(encoding="utf-8", errors="replace"):
                texts[file.name] = text
    part: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.absolute().parent, prefix=".report", delete=False) as file_:
            part = Path(file_.name)
            with zipfile.ZipFile(file_, "w", zipfile.ZIP_DEFLATED) as bundle:
                for name, text in texts.items():
                    bundle.writestr(name, _without_person(redact(text)))
        part.replace(path)
    except OSError as error:
        if part is not None:
            part.unlink(missing_ok=True)
        raise StudioError(f"{path} cannot be written ({reason(error)}); choose another folder.") from error
    return sorted(texts)


def _without_person(text: str) -> str:
    """The name of the person is part of every path."""
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home fails where there is none
    return text.replace(home, "~") if len(home) > 1 else text
