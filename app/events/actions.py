"""What a person wants done on an event: a command is started, or a web address is told."""

import json
import logging
import os
import re
import shlex
import shutil
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from app.redaction import redact, remember_secret, split_credentials
from detector.errors import OptionError, StudioError

logger = logging.getLogger(__name__)

_LONGEST = 10.0  # seconds a command or an answer may take
_UNSENDABLE = re.compile(
    r"[\0- \x7f]|//[^/?#]*[/?#].*[^!-~]"
)  # spaces; after the host, also letters with dots


class ActionError(StudioError):
    """An action that was not carried out."""


class Action(Protocol):
    def do(self, event: Mapping[str, Any]) -> None:
        """Carries it out and waits for its end.

        raises  ActionError
        """

    def stop(self) -> None:
        """Ends what is being done, from another thread; nothing follows."""


def open_action(text: str) -> Action:
    """What `--on-event` means: an address beginning with http:// or https://, else a command.

    raises  OptionError when there is no such command, or nothing can be at the address
    """
    if text.lower().startswith(("http://", "https://")):
        return WebHook(text)
    try:
        words = split_words(text)
    except ValueError as error:
        raise OptionError(f"--on-event '{text}' cannot be read: {error}.") from error
    if not words or shutil.which(words[0]) is None:
        raise OptionError(f"--on-event: there is no command '{words[0] if words else ''}' here.")
    return Command(words)


def split_words(text: str, *, windows: bool = os.name == "nt") -> list[str]:
    r"""The words of a command line, as quotes keep them together.

    windows  C:\tools\tell.exe is one with its backslashes, and an apostrophe no quote
    raises   ValueError for a quote that is not closed
    """
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    if windows:
        lexer.escape, lexer.quotes = "", '"'
    return list(lexer)


class Command:
    """Started for each event, which it reads as a line of JSON from its standard input; without a shell."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._lock = threading.Lock()  # guards what follows
        self._child: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def do(self, event: Mapping[str, Any]) -> None:
        line = json.dumps(event, ensure_ascii=False).encode() + b"\n"
        try:
            with self._lock:
                if self._stopped:
                    return
                child = self._child = subprocess.Popen(
                    self._words,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # so that what it starts can be ended with it
                )
            child.communicate(line, timeout=_LONGEST)
        except subprocess.TimeoutExpired:
            raise ActionError(f"'{self._words[0]}' was ended: it took more than {_LONGEST:g} s.") from None
        except OSError as error:
            raise ActionError(f"'{self._words[0]}' cannot be started: {error.strerror}.") from error
        finally:
            self._end()
        if child.returncode and not self._stopped:
            raise ActionError(f"'{self._words[0]}' failed with exit code {child.returncode}.")

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
        self._end()

    def _end(self) -> None:
        """Kills the child where it still runs, and whatever it has started."""
        with self._lock:
            child = self._child
        if child is None or child.poll() is not None:
            return
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
        child.wait()


class WebHook:
    """An address that each event is posted to, as JSON. It is not followed elsewhere.

    address  a name and password in it are sent as basic log-in, and shown nowhere
    raises   OptionError
    """

    def __init__(self, address: str) -> None:
        self._address, log_in = split_credentials(address)
        _check_address(self._address)
        self._headers = {"Content-Type": "application/json", "User-Agent": "ssd-studio"}
        if log_in:
            name, _, password = log_in.partition(":")
            remember_secret(unquote(password))
            pair = f"{unquote(name)}:{unquote(password)}".encode()
            self._headers["Authorization"] = f"Basic {b64encode(pair).decode()}"
        self._opener = urllib.request.build_opener(_NoRedirect)
        self._stopped = False

    def do(self, event: Mapping[str, Any]) -> None:
        if self._stopped:
            return
        body = json.dumps(event, ensure_ascii=False).encode()
        try:
            request = urllib.request.Request(self._address, body, self._headers, method="POST")
            self._opener.open(request, timeout=_LONGEST).close()
        except urllib.error.HTTPError as error:
            with error:
                raise ActionError(redact(f"{self._address} answered {error.code} {error.reason}.")) from None
        except (OSError, ValueError) as error:
            why = getattr(error, "reason", error)
            raise ActionError(redact(f"{self._address} cannot be told: {why}.")) from error
        except HTTPException as error:
            raise ActionError(redact(f"{self._address} gave an answer that is not HTTP.")) from error

    def stop(self) -> None:
        """A request that is under way ends by itself, at the latest when its time is over."""
        self._stopped = True


def _check_address(address: str) -> None:
    """Tells at once what else would be told at the first event.

    raises  OptionError
    """
    try:
        parts = urlsplit(address)
        reachable = parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, brackets around no host
        reachable = False
    if not reachable or _UNSENDABLE.search(address):
        raise OptionError(
            redact(f"--on-event: '{address}' is no web address; write http://host:port/path, a space as %20.")
        )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None
