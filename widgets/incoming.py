"""What a person drops on the window or pastes into it, as the address of a source."""

from urllib.parse import quote

from PyQt5.QtCore import QMimeData

from app.redaction import split_credentials
from app.sources import path_of

_MOST = 2048  # characters: longer text is no address


def address_in(mime: QMimeData | None) -> str | None:
    """The first file, folder or network address in what was dropped or copied; None when there is none."""
    return next(iter(addresses_in(mime)), None)


def addresses_in(mime: QMimeData | None) -> list[str]:
    """All of them."""
    if mime is None:
        return []
    urls = [
        url.toLocalFile() if url.isLocalFile() else url.toString()
        for url in mime.urls()
        if url.isLocalFile() or (url.scheme() and url.host())
    ]
    text = _address_in_text(mime)
    return urls or ([text] if text else [])


def _address_in_text(mime: QMimeData) -> str | None:
    text = mime.text().strip().strip("'\"") if mime.hasText() else ""
    if not text or len(text) > _MOST or "\n" in text:
        return None
    if "://" in text and not text.startswith("file://"):
        return text
    path = path_of(text)
    try:
        return str(path) if path and path.exists() else None
    except OSError:  # a name the system cannot have
        return None


def with_log_in(address: str, user: str, password: str) -> str:
    """The address to open with this name and password, and none it held before."""
    bare, _ = split_credentials(address)
    if not user:
        return address
    scheme, _, rest = bare.partition("://")
    return f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{rest}"
