"""A real HTTP server on loopback that serves one file, well or badly."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Behaviour = Callable[["WeightsServer", BaseHTTPRequestHandler], None]


class WeightsServer(ThreadingHTTPServer):
    """Serves `content` under every path; `ways` says how, by path; what is not named there is served well.

    asked  the path and the Range of every request, in order
    """

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.etag = '"1"'
        self.ways: dict[str, Behaviour] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.closing = threading.Event()

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    server: WeightsServer

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        self.server.asked.append((path, self.headers.get("Range")))
        self.server.ways.get(path, serve)(self.server, self)

    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def serving(content: bytes) -> Iterator[WeightsServer]:
    server = WeightsServer(content)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def serve(server: WeightsServer, request: BaseHTTPRequestHandler, *, upto: int | None = None) -> None:
    """As a server should; `upto`: the connection breaks after so many bytes of the file."""
    start = _start(server, request)
    request.send_response(206 if start else 200)
    request.send_header("ETag", server.etag)
    request.send_header("Content-Length", str(len(server.content) - start))
    if start:
        size = len(server.content)
        request.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
    request.end_headers()
    request.wfile.write(server.content[start:upto])
    if upto is not None:
        request.close_connection = True


def drop_after(*places: int) -> Behaviour:
    """The first requests break off at these places of the file; later ones are served well."""
    left = list(places)
    return lambda server, request: serve(server, request, upto=left.pop(0) if left else None)


def whole_only(server: WeightsServer, request: BaseHTTPRequestHandler) -> None:
    """A server that knows no ranges."""
    request.send_response(200)
    request.send_header("Content-Length", str(len(server.content)))
    request.end_headers()
    request.wfile.write(server.content)


def stall_at(place: int) -> Behaviour:
    """Falls silent in the middle, every time."""

    def way(server: WeightsServer, request: BaseHTTPRequestHandler) -> None:
        serve(server, request, upto=max(place, _start(server, request)))
        server.closing.wait(30)

    return way


def answer(status: int, **headers: str) -> Behaviour:
    def way(server: WeightsServer, request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return way


def _start(server: WeightsServer, request: BaseHTTPRequestHandler) -> int:
    """Where the asked range begins; the whole file when the asker has another version."""
    asked, version = request.headers.get("Range"), request.headers.get("If-Range")
    if asked is None or (version is not None and version != server.etag):
        return 0
    return int(asked.removeprefix("bytes=").removesuffix("-"))
