"""Network cameras and streams: RTSP, RTMP, HTTP and what else FFmpeg speaks, with time-outs."""

import os
import time
from collections.abc import Iterator
from urllib.parse import quote, unquote, urlsplit

import av

from app.redaction import remember_secret, split_credentials, without_credentials
from app.sources.reach import wait_for_answer
from app.sources.reconnecting import LostError, Reconnecting, WallClock
from app.sources.source import State, Status
from app.sources.video import MAX_AREA, Video, reason
from detector.errors import SourceError
from detector.values import Frame

OPEN_LIMIT = 5.0  # seconds
_PATIENCE = 2.5  # seconds a read may take: FFmpeg notices a stall after two of them (viewer facts 2.2)
_MOST_PATIENCE = 20.0  # for cameras that send a picture now and then
_LOCKED_OUT = 300.0  # seconds: cameras lock accounts that are tried too often
_NOT_THERE = 30.0  # seconds
_INCOMPLETE = "is not a complete address; it looks like rtsp://host:554/path"
_PORTS = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "rtmps": 443, "http": 80, "https": 443}
_PROXIES = {"http_proxy", "https_proxy", "all_proxy"}  # with one of these, hosts are not reached directly


class Stream(Reconnecting):
    """A network address. Its user name and password go to the camera and nowhere else.

    Over HTTP there may be a recording at the address, with a duration: it is not live, and ends.
    """

    def __init__(self, address: str) -> None:
        bare, user_part = split_credentials(address)
        super().__init__(without_credentials(address))
        self._url = _url(bare, user_part)
        self._bare = bare
        self._scheme = bare.partition("://")[0].lower()
        self._clock = WallClock()
        self._patience = _PATIENCE

    def _connection(self) -> Iterator[Frame | Status]:
        self._wait_for_host()
        if self._stopped.is_set():
            return
        self._clock.cut()
        count = 0
        try:
            with self._open() as video:
                self.rate, self.duration = video.rate, None
                if self._scheme in ("http", "https") and video.duration is not None:
                    self.live, self.duration = False, video.duration
                for seconds, picture in video.frames():
                    if self._stopped.is_set():
                        return
                    if not count:
                        yield self._status(State.LIVE, f"Watching {self.name}")
                    count += 1
                    pts = self._clock.seconds(seconds) if self.live else seconds
                    yield self._frame(video.pixels(picture), pts)
        except (av.FFmpegError, OSError) as error:
            if not self.live:
                if not count:
                    raise SourceError(
                        f"{self.name}: cannot be played from there ({reason(error)})"
                    ) from error
                yield self._status(State.ENDED, f"{self.name} breaks off here: {reason(error)}")
                return
            if isinstance(error, (av.error.ExitError, TimeoutError)):
                # A camera this slow is not dead: give it longer. One that went silent after more is.
                self._patience = min(_MOST_PATIENCE, 2 * self._patience) if 0 < count <= 2 else _PATIENCE
                raise LostError(f"{self.name} has fallen silent") from error
            raise LostError(f"{self.name}: the connection broke ({reason(error)})") from error
        if not self.live:
            yield self._status(State.ENDED, f"End of {self.name}")
            return
        raise LostError(f"{self.name} has ended the stream" if count else f"{self.name} sends no pictures")

    def _open(self) -> Video:
        options = {"max_pixels": str(MAX_AREA)}
        if self._scheme in ("rtsp", "rtsps"):
            # TCP: over UDP pictures smear. No probing of the rate: it takes a second and makes all pictures
            # a second late (viewer facts 2.1).
            options |= {"rtsp_transport": "tcp", "fpsprobesize": "0"}
        began = time.monotonic()
        try:
            return Video(
                self._url,
                name=self.name,
                options=options,
                timeout=(OPEN_LIMIT, self._patience),
                decoding_threads=False,
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._refusal(error, time.monotonic() - began) from error

    def _wait_for_host(self) -> None:
        """raises  LostError when nobody is there, SourceError when the address is none"""
        port = _PORTS.get(self._scheme)
        if port is None or (
            self._scheme.startswith("http") and _PROXIES & {key.lower() for key in os.environ}
        ):
            return
        try:
            parts = urlsplit(self._bare)
            host, port = parts.hostname, parts.port or port
        except ValueError:
            host = None
        if not host:
            raise SourceError(f"{self.name}: {_INCOMPLETE}")
        question = f"OPTIONS {self._bare} RTSP/1.0\r\nCSeq: 1\r\n\r\n" if self._scheme == "rtsp" else ""
        wait_for_answer(
            host, port, name=self.name, question=question.encode(), limit=OPEN_LIMIT, stopped=self._stopped
        )

    def _refusal(self, error: Exception, seconds: float) -> Exception:
        """What an error at opening means. Only its kind and `strerror` are used: its text holds the URL."""
        name = self.name
        match error:
            case av.error.HTTPUnauthorizedError():
                sentence = f"{name}: the user name or password is wrong (401)"
                return LostError(sentence, state=State.WRONG_PASSWORD, wait=_LOCKED_OUT)
            case av.error.HTTPForbiddenError():
                sentence = f"{name}: this user may not watch it (403)"
                return LostError(sentence, state=State.WRONG_PASSWORD, wait=_LOCKED_OUT)
            case av.error.HTTPNotFoundError():
                sentence = f"{name}: there is no stream at this path (404); look it up in the camera's manual"
                return LostError(sentence, state=State.NOT_FOUND, wait=_NOT_THERE)
            case av.error.ProtocolNotFoundError():
                return SourceError(f"{name}: addresses that begin with {self._scheme}:// cannot be opened")
            case av.error.DecoderNotFoundError():
                return SourceError(f"{name}: its pictures are coded in a way this program cannot decode")
            case av.error.ArgumentError() | UnicodeError():
                return SourceError(f"{name}: {_INCOMPLETE}")
            case ConnectionRefusedError():
                return LostError(f"{name}: the connection is refused; is the port right?")
        if seconds >= OPEN_LIMIT or isinstance(error, (av.error.ExitError, TimeoutError)):
            return LostError(f"{name}: no answer within {OPEN_LIMIT:.0f} s")
        if isinstance(error, av.error.InvalidDataError):
            return LostError(f"{name}: what it sends is no video")
        return LostError(f"{name}: cannot be reached ({reason(error)}); is the host name right?")


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
