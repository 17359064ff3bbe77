"""Whether a host answers at all: FFmpeg does not tell a wrong name from a dead camera."""

import errno
import socket
import time

from app.sources.source import LostError


def wait_for_answer(host: str, port: int, *, name: str, question: bytes, limit: float) -> None:
    """Returns when the host has accepted a connection and said anything to the question.

    question  sent once connected; empty: a connection is enough
    limit     seconds
    raises    LostError with the reason
    """
    deadline = time.monotonic() + limit
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise LostError(f"{name}: there is no host of this name, or no network") from error
    refusal: OSError | None = None
    for family, kind, protocol, _, address in addresses:
        with socket.socket(family, kind, protocol) as connection:
            try:
                connection.settimeout(max(0.01, deadline - time.monotonic()))
                connection.connect(address)
            except OSError as error:
                refusal = error
                continue
            try:
                connection.settimeout(max(0.01, deadline - time.monotonic()))
                connection.sendall(question)
                if question and not connection.recv(1):
                    raise LostError(f"{name} hangs up; it may serve too many viewers already")
                return
            except TimeoutError as error:
                refusal = error
            except OSError as error:
                raise LostError(f"{name} hangs up ({error.strerror})") from error
    if time.monotonic() >= deadline or isinstance(refusal, TimeoutError):
        raise LostError(f"{name}: no answer within {limit:.0f} s")
    if isinstance(refusal, ConnectionRefusedError):
        raise LostError(f"{name}: the connection is refused; is the port {port} right?")
    code = refusal.errno if refusal and refusal.errno else 0
    raise LostError(f"{name}: cannot be reached ({errno.errorcode.get(code, code)})")
