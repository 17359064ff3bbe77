"""Network cameras and streams: RTSP, RTMP, HTTP and what else FFmpeg speaks."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from app.credentials import find_log_in, keep_log_in_soon
from app.redaction import remember_secret, split_credentials, without_credentials
from app.sources.reconnecting import Reconnecting


class Stream(Reconnecting):
    """A network address. Its user name and password go to the camera and nowhere else.

    An address without them gets those that were kept for it. Over HTTP there may be a recording at the
    address, with a duration: it is not live, and ends.
    """

    offers_packets = True
    reader = "app.sources.readers.stream"

    def __init__(self, address: str, *, reader: str | None = None, keep_log_in: bool = False) -> None:
        super().__init__(without_credentials(address), reader=reader)
        self.offers_packets = reader is None  # OpenCV keeps them to itself
        self._bare, self._user_part = split_credentials(address)
        self._keep = keep_log_in

    def _arguments(self) -> Mapping[str, Any]:
        if self._user_part is None and (log_in := find_log_in(self._bare)) is not None:
            self._user_part = ":".join(quote(part, safe="") for part in log_in)
        return {
            "url": _url(self._bare, self._user_part),
            "bare": self._bare,
            "name": self.name,
            "open_limit": self._patience.open_limit,
        }

    def _connected(self) -> None:
        if self._keep and self._user_part is not None:
            self._keep = False
            user, _, password = self._user_part.partition(":")
            keep_log_in_soon(self._bare, unquote(user), unquote(password))


def _url(bare: str, user_part: str | None) -> str:
    """The address as FFmpeg wants it: user name and password percent-encoded, whether they were or not."""
    if user_part is None:
        return bare
    user, colon, password = user_part.partition(":")
    for secret in (password, unquote(password)):
        remember_secret(secret)
    scheme, _, rest = bare.partition("://")
    return f"{scheme}://{_encoded(user)}{colon}{_encoded(password)}@{rest}"


def _encoded(text: str) -> str:
    return quote(unquote(text), safe="")
