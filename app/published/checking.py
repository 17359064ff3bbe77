"""Whether a fetched file is the one that was published; asked before anything reads it."""

import hashlib
import json
from pathlib import Path

from app.published.catalog import Published, PublishedFile
from detector.errors import DownloadError
from detector.places import user_model_folder


def check_sum(path: Path, entry: Published, file: PublishedFile, *, unverified: bool) -> str:
    """The sha256 of a fetched file that may be read.

    unverified  the person takes a file whose checksum nobody has published; its sum is then written down,
                and what comes under this name later must have the same
    raises      DownloadError when the sum is another, and the file is deleted; or when there is none to
                compare with and `unverified` does not say that this will do
    """
    found = sha256_of(path)
    expected, whose = file.sha256, "published"
    if expected is None:
        require_sum(entry, unverified=unverified)
        expected, whose = _recorded().get(_key(entry, file)), "what came under this name before"
    if expected is None:
        _record(_key(entry, file), found)
    elif not found.startswith(expected):
        path.unlink()
        raise DownloadError(
            f"What came as {file.name} is another file (sha256 {found[:16]}…, {whose}: {expected[:16]}): "
            "it was deleted unread. Try again; if it stays so, the address does not hold what it held."
        )
    return found


def require_sum(entry: Published, *, unverified: bool) -> None:
    """raises  DownloadError when nobody has published the sums, and the person did not say `unverified`"""
    if not (entry.is_checked or unverified):
        raise DownloadError(
            f"Nobody has published a checksum for '{entry.name}', so nobody can tell whether the file is "
            "what its authors made; --unverified takes it nevertheless, and writes its sum down."
        )


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recorded_sums_file() -> Path:
    """Sums of files that came unverified. `catalog` is no model's name, so it can lie beside the models."""
    return user_model_folder() / "catalog.json"


def _recorded() -> dict[str, str]:
    path = recorded_sums_file()
    if not path.is_file():
        return {}
    try:
        sums = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in sums.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise DownloadError(
            f"The sums of earlier downloads in {path} cannot be read ({error}); remove that file to go on."
        ) from error


def _record(key: str, found: str) -> None:
    path = recorded_sums_file()
    sums = _recorded() | {key: found}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_text(json.dumps(sums, indent=2) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise DownloadError(f"The sum cannot be written to {path} ({error.strerror}).") from error


def _key(entry: Published, file: PublishedFile) -> str:
    return f"{entry.name}/{file.name}"
