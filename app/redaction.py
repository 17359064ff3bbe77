"""User names and passwords taken out of every text that a person, a log or a file may see.

An address can hide a password in its user part (`rtsp://name:password@host`) and in its query (`?pwd=...`),
and libraries put whole addresses into their messages. The rules fail closed: where it is not certain that
something is harmless, it goes. (source: viewer facts 2.12, whose 24 examples are the test)
"""

import logging
import re
import threading
import traceback
from typing import Any
from urllib.parse import quote

MASK = "***"

_KEYS = (
    "username|user|usr|loginuse|loginpas|login|password|passwd|passphrase|pass|pwd|pw|psw|access_token|token|auth"
    "|apikey|api_key|key|secret|signature|sig|sessionid|session|streamid"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_WEB_SCHEMES = {"http://", "https://", "ws://", "wss://"}
_PLAIN_HOST = re.compile(r"(?:\[[^\]\s]*\]|[^\s:/?#@\[\]'\"]*)(?::\d*)?(?=[/?#\s'\"<>),;]|$)")
_AT_HOST = re.compile(r"@(?=\[|\w)")
_QUOTES = {"'": "'", '"': '"', "`": "`", "<": ">", "‘": "’", "“": "”"}

# A value ends at the next parameter; some cameras join theirs by "_" in the path (example 13).
_QUERY_VALUE = re.compile(rf"(?i)(?<![a-z])({_KEYS})=[^&;#]*")
_PATH_VALUE = re.compile(rf"(?i)(?<![a-z])({_KEYS})=(?:(?!_[a-z]+=)[^&;#/?])*")
_TEXT_VALUE = re.compile(rf"(?i)(?<![a-z])({_KEYS})=(?:\"[^\"]*\"|'[^']*'|[^\s&;#,'\"<>)]+)")
_HEADER = re.compile(
    r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?)(?:(basic|bearer)(\s+)[^\s'\",;]+|(digest)(\s+)[^\r\n]*)"
)

_SHORTEST_SECRET = 4  # shorter ones would mask half of every text
_secrets: set[str] = set()
_secrets_lock = threading.Lock()


def redact(text: str) -> str:
    """The text without user names, passwords and tokens."""
    text = _without_known_secrets(text)
    parts, position = [], 0
    while match := _SCHEME.search(text, position):
        parts.append(_outside_addresses(text[position : match.start()]))
        end = _end_of_address(text, match)
        parts.append(match.group() + _address_tail(match.group().lower(), text[match.end() : end]))
        position = end
    parts.append(_outside_addresses(text[position:]))
    return "".join(parts)


def without_credentials(address: str) -> str:
    """An address fit to be kept and to be opened again: no user part, masked tokens."""
    return redact(address).replace(MASK + "@", "")


def split_credentials(address: str) -> tuple[str, str | None]:
    """An address without its user part, and that part as it was written (`name:password`) or None.

    A user part may hold unescaped `@`, `/`, `#` and `?`, as people type them.
    """
    scheme = _SCHEME.match(address)
    if scheme is None:
        return address, None
    rest = address[scheme.end() :]
    if _PLAIN_HOST.match(rest):
        return address, None
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    name, at, host = authority.rpartition("@")
    if not (at and host and _PLAIN_HOST.fullmatch(host)):
        cuts = [match.start() for match in _AT_HOST.finditer(rest)]
        if not cuts:
            return address, None
        name = rest[: cuts[-1]]
    return scheme.group() + rest[len(name) + 1 :], name


def remember_secret(secret: str) -> None:
    """From now on this text is masked wherever it turns up."""
    with _secrets_lock:
        _secrets.update(form for form in (secret, quote(secret, safe="")) if len(form) >= _SHORTEST_SECRET)


def redact_logs() -> None:
    """Every log record of this process is redacted as it is made, whoever logs and whatever handles it.

    A filter on the root logger would see only what is logged on the root itself, and one on its handlers not
    what handlers added later write.
    """
    make_record = logging.getLogRecordFactory()
    if getattr(make_record, "redacts", False):
        return

    def make_redacted_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make_record(*args, **kwargs)
        try:
            record.msg = redact(record.getMessage())
        except (TypeError, ValueError):  # arguments that do not fit: the text without them
            record.msg = redact(str(record.msg))
        record.args = None
        if record.exc_info and record.exc_info[0]:
            record.exc_text = redact("".join(traceback.format_exception(*record.exc_info)).rstrip())
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return record

    make_redacted_record.redacts = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(make_redacted_record)


def _without_known_secrets(text: str) -> str:
    with _secrets_lock:
        known = sorted(_secrets, key=len, reverse=True)
    for secret in known:
        text = text.replace(secret, MASK)
    return text


def _end_of_address(text: str, scheme: re.Match[str]) -> int:
    """Where the address that begins at `scheme` ends, at the latest where the next one begins."""
    following = _SCHEME.search(text, scheme.end())
    line_end = text.find("\n", scheme.end())
    limit = min(len(text) if line_end < 0 else line_end, following.start() if following else len(text))
    closing = _QUOTES.get(text[scheme.start() - 1]) if scheme.start() else None
    end = text.find(closing, scheme.end(), limit) if closing else -1
    # A quote may also stand within a password, before any host.
    if end >= 0 and (_AT_HOST.search(text, scheme.end(), end) or _PLAIN_HOST.match(text, scheme.end(), end)):
        return end
    space = re.compile(r"\s").search(text, scheme.end(), limit)
    end = space.start() if space else limit
    if _PLAIN_HOST.match(text, scheme.end(), end):
        return end
    # Something that is no host: a user part, which may hold spaces. It ends at the last "@" before a host.
    cuts = [match.start() for match in _AT_HOST.finditer(text, end, limit)]
    if not cuts:
        return end
    space = re.compile(r"\s").search(text, cuts[-1], limit)
    return space.start() if space else limit


def _address_tail(scheme: str, tail: str) -> str:
    """What follows `scheme://`, masked."""
    plain = _PLAIN_HOST.match(tail)
    if not (plain and scheme in _WEB_SCHEMES):  # in the path of a web address an "@" is common
        cuts = [match.start() for match in _AT_HOST.finditer(tail)]
        if cuts:
            tail = MASK + tail[cuts[-1] :]
        elif not plain:
            return MASK
    path, mark, query = tail.partition("?")
    return _PATH_VALUE.sub(rf"\1={MASK}", path) + mark + _QUERY_VALUE.sub(rf"\1={MASK}", query)


def _outside_addresses(text: str) -> str:
    text = _HEADER.sub(rf"\1\2\4\3\5{MASK}", text)
    return _TEXT_VALUE.sub(rf"\1={MASK}", text)
