"""One file from one address, whole; what breaks off is taken up where it broke.

Nothing is fetched but the address that is named (and where it redirects to), and nothing here reads what
came: that is for `checking` first. Proxies and certificates are those of the environment (HTTPS_PROXY,
NO_PROXY, REQUESTS_CA_BUNDLE), which `requests` obeys.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import requests

from app.published.catalog import PublishedFile
from app.redaction import redact
from detector.errors import DownloadError

Progress: TypeAlias = Callable[[int, int | None], None]

_PIECE = 1 << 15  # bytes read at once; what has come of the last piece is lost when the connection breaks
_BREAKS = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
_PASSING = (429, 500, 502, 503, 504)  # a server's answers that may be another one soon


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for a server, seconds.

    connect  until it answers the call
    silence  without a byte of the file
    waits    before each further attempt, after one that brought nothing new; then it is given up
    """

    connect: float = 10.0
    silence: float = 30.0
    waits: tuple[float, ...] = (1.0, 3.0, 10.0)


def fetch(
    file: PublishedFile,
    folder: Path,
    *,
    progress: Progress = lambda done, total: None,
    patience: Patience | None = None,
) -> Path:
    """The file in this folder, under its name; a part of it that lies there is continued.

    progress  called with the bytes that are there, and of all; None where the server does not say
    raises    DownloadError in words; what has come stays, so that the next call goes on from there
    """
    place = folder / file.name
    if place.is_file():
        return place  # came whole before; whoever asks checks it as if it came now
    failed: DownloadError | None = None
    for address in file.addresses:
        try:
            _fetch_from(address, _Part(place), file, progress, patience or Patience())
            return place
        except DownloadError as error:
            failed = failed or error
        except OSError as error:  # not of the network: those are DownloadErrors by now
            raise DownloadError(f"{place} cannot be written ({error.strerror or error}).") from error
    raise failed or DownloadError(f"There is no address for {file.name}.")


class _PassingError(Exception):
    """Something that may go well the next time, in words."""


class _Part:
    """The beginning of a file, and what its server called the version it is of."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.path = place.with_name(f"{place.name}.part")
        self._version = place.with_name(f"{place.name}.version")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def version(self) -> str:
        return self._version.read_text("utf-8") if self._version.is_file() else ""

    def begin(self, version: str) -> None:
        """An empty part; the version is on disk before the first byte of it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self._version.write_text(version, "utf-8")

    def finish(self) -> None:
        self.path.replace(self._place)
        self._version.unlink(missing_ok=True)


def _fetch_from(
    address: str, part: _Part, file: PublishedFile, progress: Progress, patience: Patience
) -> None:
    host = redact(address)
    waits = list(patience.waits)
    furthest = part.size
    with requests.Session() as session:
        while True:
            try:
                _receive(session, address, part, file, progress, patience)
                part.finish()
                return
            except (_PassingError, *_BREAKS) as error:
                if isinstance(error, requests.exceptions.SSLError):
                    raise DownloadError(f"{host} cannot be fetched: {_words(error)}.") from error
                words, cause = _words(error), error
            except requests.RequestException as error:
                raise DownloadError(f"{host} cannot be fetched: {_words(error)}.") from error
            if part.size > furthest:
                furthest, waits = part.size, list(patience.waits)
            elif waits:
                time.sleep(waits.pop(0))
            else:
                raise DownloadError(
                    f"{host} cannot be fetched: {words}. "
                    + ("What has come is kept; try again to go on from there." if furthest else "Try later.")
                ) from cause


def _receive(
    session: requests.Session,
    address: str,
    part: _Part,
    file: PublishedFile,
    progress: Progress,
    patience: Patience,
) -> None:
    """Adds to the part what it lacks.

    raises  _PassingError or an error of requests when it breaks off; DownloadError when it never can be had
    """
    headers = {"Accept-Encoding": "identity"}  # so that lengths and ranges are those of the file
    had, version = part.size, part.version
    # Without a version two halves could be of two files; a checksum would tell, so then it may be tried.
    if had and (version or file.sha256):
        headers["Range"] = f"bytes={had}-"
        headers |= {"If-Range": version} if version else {}
    timeout = (patience.connect, patience.silence)
    with session.get(address, headers=headers, stream=True, timeout=timeout) as response:
        _refuse(response, address, file)
        if response.status_code == 416 or (response.status_code == 206 and not _continues(response, had)):
            part.begin("")
            raise _PassingError("the server would not go on where it broke off")
        had = had if response.status_code == 206 else 0
        length = response.headers.get("Content-Length", "")
        total = had + int(length) if length.isdigit() else file.size
        if file.size is not None and total != file.size:
            raise DownloadError(
                f"{redact(address)} is a file of {total} bytes, but {file.size} are published: it is another."
            )
        if response.status_code != 206:
            part.begin(_version(response))
        progress(had, total)
        with part.path.open("ab") as target:
            for piece in response.iter_content(_PIECE):
                target.write(piece)
                had += len(piece)
                progress(had, total)
        if total is not None and had != total:
            raise _PassingError(f"the connection broke off after {had} of {total} bytes")


def _refuse(response: requests.Response, address: str, file: PublishedFile) -> None:
    """Answers that are not the file, and never will be."""
    status, host = response.status_code, redact(address)
    if status in _PASSING:
        raise _PassingError(f"the server answers {status} ({response.reason})")
    if status in (404, 410):
        raise DownloadError(f"{host} is not there any more (the server answers {status}).")
    if status >= 400 and status != 416:
        raise DownloadError(f"{host} may not be fetched: the server answers {status} ({response.reason}).")
    if address.startswith("https:") and not response.url.startswith("https:"):
        raise DownloadError(f"{host} leads to an address without encryption; nothing was fetched.")
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise DownloadError(
            f"{host} sends a web page instead of {file.name}: open it in a browser, save the file, "
            "and import it with 'python main.py models import'."
        )


def _continues(response: requests.Response, had: int) -> bool:
    return response.headers.get("Content-Range", "").startswith(f"bytes {had}-")


def _version(response: requests.Response) -> str:
    """What If-Range accepts: a strong ETag, else the date of the last change."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def _words(error: Exception) -> str:
    match error:
        case requests.exceptions.ProxyError():
            return "the proxy of the environment (HTTP_PROXY, HTTPS_PROXY) does not answer"
        case requests.exceptions.SSLError():
            return "its certificate is not trusted"
        case requests.exceptions.ConnectTimeout():
            return "the server does not answer"
        case requests.exceptions.ReadTimeout():
            return "the server has fallen silent"
        case requests.exceptions.TooManyRedirects():
            return "it redirects without end"
        case requests.exceptions.ChunkedEncodingError():
            return "the connection broke off"
        case requests.ConnectionError() if "Read timed out" in str(error):
            return "the server has fallen silent"  # in the middle of a file
        case requests.ConnectionError():
            return "there is no connection to the server"
        case _:
            return redact(str(error))
