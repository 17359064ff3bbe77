"""User names and passwords of cameras that a person wants kept: in the system's keyring, else in a file.

The keyring is that of the package `keyring`, where it is installed and the system has one. The file is
readable by its owner alone; it is not encrypted, and whoever asks to keep a password is told where it goes.
"""

import contextlib
import importlib
import json
import logging
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

from app.private_file import replace_private
from app.redaction import remember_secret, split_credentials
from detector.places import config_folder

logger = logging.getLogger(__name__)

_SERVICE = "ssd-studio"


def keeping_place() -> str:
    """Where a password would be kept, in words for the person who decides."""
    if _keyring() is not None:
        return "in this system's keyring"
    return f"in {_path()}, which only you can read"


def keep_log_in(address: str, user: str, password: str) -> None:
    """Keeps them for an address, and for all others at the same host and port.

    A keyring can ask the person first, so this may take its time. A failure is only logged: watching does
    not depend on it.
    """
    place, content = _place(address), json.dumps([user, password])
    remember_secret(password)
    if (keyring := _keyring()) is not None:
        try:
            keyring.set_password(_SERVICE, place, content)
            return
        except Exception as error:  # noqa: BLE001  each keyring has errors of its own
            logger.warning("The keyring keeps no password for %s (%s)", place, type(error).__name__)
            return
    _write(_read() | {place: content})


def keep_log_in_soon(address: str, user: str, password: str) -> None:
    """As `keep_log_in`, but returns at once."""
    threading.Thread(target=keep_log_in, args=(address, user, password), daemon=True).start()


def forget_log_in_soon(address: str) -> None:
    """As `forget_log_in`, but returns at once."""
    threading.Thread(target=forget_log_in, args=(address,), daemon=True).start()


def find_log_in(address: str) -> tuple[str, str] | None:
    """User name and password kept for an address; None when there are none. May take its time as well."""
    place, content = _place(address), None
    if (keyring := _keyring()) is not None:
        try:
            content = keyring.get_password(_SERVICE, place)
        except Exception as error:  # noqa: BLE001  as above
            logger.warning("The keyring gives no password for %s (%s)", place, type(error).__name__)
    content = content if content is not None else _read().get(place)
    try:
        user, password = json.loads(content or "null")
    except (ValueError, TypeError):
        return None
    remember_secret(password)
    return str(user), str(password)


def forget_log_in(address: str) -> None:
    """Wherever it was kept."""
    place = _place(address)
    if (keyring := _keyring()) is not None:
        with contextlib.suppress(Exception):  # it had none
            keyring.delete_password(_SERVICE, place)
    kept = _read()
    if kept.pop(place, None) is not None:
        _write(kept)


def _place(address: str) -> str:
    """The same for all streams of a camera: protocol, host and port."""
    scheme, separator, rest = split_credentials(address)[0].partition("://")
    return f"{scheme.lower()}{separator}{rest.partition('/')[0].partition('?')[0].lower()}"


def _keyring() -> ModuleType | None:
    """The package, where it has found something to keep passwords in."""
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        return None
    try:
        # Back-ends below 1 keep nothing ("fail", "null") or need a person at a terminal.
        return keyring if keyring.get_keyring().priority >= 1 else None
    except Exception as error:  # noqa: BLE001  as above
        logger.info("No keyring can be used (%s)", type(error).__name__)
        return None


def _path() -> Path:
    return config_folder() / "passwords.json"


def _read() -> dict[str, Any]:
    try:
        kept = json.loads(_path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        logger.warning("%s cannot be read (%s); passwords must be given anew", _path(), type(error).__name__)
        return {}
    return kept if isinstance(kept, dict) else {}


def _write(kept: dict[str, Any]) -> None:
    """Whole or not at all, and from its first byte readable by its owner alone."""
    path = _path()
    try:
        replace_private(path, json.dumps(kept))
    except OSError as error:
        logger.warning("No password could be kept in %s: %s", path, error.strerror)
