"""The figures of a run without a window, for Prometheus; they are given to this computer only."""

import itertools
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from app.pipeline import DetectorState, View
from app.sources import State
from detector.errors import OptionError

logger = logging.getLogger(__name__)

Views = Callable[[], Sequence[tuple[str, View]]]  # name of each source, and how it is doing
_Sample = tuple[dict[str, str], float]
_PATIENCE = 5.0  # seconds for whoever asks to finish asking


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        if isinstance(sys.exception(), OSError):  # whoever asked has gone
            logger.debug("a question for figures was broken off", exc_info=True)
        else:
            logger.exception("figures could not be given")


class MetricsServer:
    """Answers until the block ends.

    port    0: any that is free
    views   called for each answer, from other threads
    raises  OptionError when the port cannot be had
    """

    def __init__(self, port: int, views: Views) -> None:
        class Handler(BaseHTTPRequestHandler):
            timeout = _PATIENCE

            def do_GET(self) -> None:
                found = self.path == "/metrics"
                body = metrics_text(views()).encode() if found else b"The figures are at /metrics.\n"
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *_: object) -> None:
                """Nobody needs a line each time they are asked for."""

        try:
            self._server = _Server(("127.0.0.1", port), Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "it is none"
            raise OptionError(f"--metrics {port} cannot be had ({reason}); choose another port.") from error
        self.address = f"http://127.0.0.1:{self._server.server_port}/metrics"
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.1], name="metrics")

    def __enter__(self) -> "MetricsServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def metrics_text(views: Sequence[tuple[str, View]]) -> str:
    """In Prometheus' text format, version 0.0.4; sources of one name are numbered."""
    names = _told_apart(name for name, _ in views)
    return "".join(f"{line}\n" for line in _lines(list(zip(names, (view for _, view in views)))))


def _told_apart(names: Iterable[str]) -> Iterator[str]:
    taken: set[str] = set()
    for name in names:
        numbered = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
        taken.add(free := next(each for each in numbered if each not in taken))
        yield free


def _lines(views: Sequence[tuple[str, View]]) -> Iterator[str]:
    for name, kind, meaning, read in _METRICS:
        yield f"# HELP ssd_studio_{name} {meaning}"
        yield f"# TYPE ssd_studio_{name} {kind}"
        for source, view in views:
            for labels, value in read(view):
                said = ",".join(
                    f'{key}="{_escaped(text)}"' for key, text in {"source": source, **labels}.items()
                )
                yield f"ssd_studio_{name}{{{said}}} {value:.10g}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _rates(view: View) -> Iterable[_Sample]:
    figures = view.figures
    for stage in ("captured", "unique", "detected", "shown", "written"):
        yield {"stage": stage}, getattr(figures, stage)


def _dropped(view: View) -> Iterable[_Sample]:
    figures = view.figures
    yield {"stage": "detected"}, figures.undetected
    yield {"stage": "shown"}, figures.unshown
    yield {"stage": "written"}, figures.unrecorded


def _times(view: View) -> Iterable[_Sample]:
    figures = view.figures
    for what, pair in (("infer", figures.infer_ms), ("age", figures.age_ms), ("box_age", figures.box_age_ms)):
        for quantile, value in zip(("0.5", "0.95"), pair or ()):
            yield {"what": what, "quantile": quantile}, value / 1000


def _recorded(view: View) -> Iterable[_Sample]:
    if view.recording:
        yield {}, view.recording.frames


_METRICS: Sequence[tuple[str, str, str, Callable[[View], Iterable[_Sample]]]] = (
    ("live", "gauge", "1 while pictures come", lambda view: [({}, view.status.state is State.LIVE)]),
    (
        "detector_running",
        "gauge",
        "1 while the model looks at pictures; what runs it is the label",
        lambda view: [({"device": view.detector.device}, view.detector.state is DetectorState.RUNNING)],
    ),
    ("frames_per_second", "gauge", "different pictures in the last 2 s, at each stage", _rates),
    ("dropped_frames_total", "counter", "pictures that never got to a stage", _dropped),
    ("seconds", "gauge", "one detection; age of a picture and of its boxes when painted; last 5 s", _times),
    ("recorded_frames", "gauge", "written to recordings so far", _recorded),
    (
        "longest_gap_seconds",
        "gauge",
        "without a picture, in the last minute",
        lambda v: [({}, v.figures.gap)],
    ),
)
