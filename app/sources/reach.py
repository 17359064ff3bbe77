"""Whether a host answers at all, asked in a way that can be given up at any moment.

FFmpeg's opening of a silent host cannot be interrupted, and does not tell a wrong name from a dead camera.
"""

import errno
import selectors
import socket
import threading
import time

from app.sources.reconnecting import LostError

_GLANCE = 0.1  # seconds between looks at the stop flag


def wait_for_answer(
    host: str, port: int, *, name: str, question: bytes, limit: float, stopped: threading.Event
) -> None:
    """Returns when the host has accepted a connection and said anything to the question, or when stopped.

    question  sent once connected; empty: a connection is enough
    limit     seconds
    raises    LostError with the reason
    """
    deadline = time.monotonic() + limit
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise LostError(f"{name}: there is no host of this name, or no network") from error
    refusal = errno.ETIMEDOUT
    for family, kind, protocol, _, address in addresses:
        with socket.socket(family, kind, protocol) as connection:
            connection.setblocking(False)
            refusal = connection.connect_ex(address)
            if refusal in (errno.EINPROGRESS, errno.EWOULDBLOCK, 0):
                if not _ready(connection, deadline, stopped, writing=True):
                    break
                refusal = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if refusal:
                continue
            if not question:
                return
            try:
                connection.send(question)
                if _ready(connection, deadline, stopped, writing=False) and not connection.recv(1):
                    raise LostError(f"{name} hangs up; it may serve too many viewers already")
            except OSError as error:
                raise LostError(f"{name} hangs up ({error.strerror})") from error
            if time.monotonic() < deadline:
                return
    if stopped.is_set():
        return
    if time.monotonic() >= deadline or refusal == errno.ETIMEDOUT:
        raise LostError(f"{name}: no answer within {limit:.0f} s")
    if refusal == errno.ECONNREFUSED:
        raise LostError(f"{name}: the connection is refused; is the port {port} right?")
    raise LostError(f"{name}: cannot be reached ({errno.errorcode.get(refusal, refusal)})")


def _ready(connection: socket.socket, deadline: float, stopped: threading.Event, *, writing: bool) -> bool:
    """Whether the connection can be used before the deadline and before a stop."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_WRITE if writing else selectors.EVENT_READ)
        while not stopped.is_set() and (left := deadline - time.monotonic()) > 0:
            if selector.select(min(left, _GLANCE)):
                return True
    return False
