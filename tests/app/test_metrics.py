"""The figures of a run without a window, as Prometheus reads them."""

import logging
import re
import socket
import struct
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.metrics import MetricsServer, metrics_text
from app.pipeline import LivePipeline
from app.sources import State, open_source
from detector.errors import OptionError
from tests.app.videos import eventually, write_video
from tests.app.watching import SquareFinder, Watching

_LINE = re.compile(r'ssd_studio_([a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\.)*",?)+)\} (-?[0-9.e+-]+)\Z')


def read(text: str) -> dict[tuple[str, str], float]:
    """The samples of a text, by name and labels, read by the letter of the format's description."""
    samples, typed = {}, set()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            typed.add(line.split()[2])
            assert line.split()[3] in ("gauge", "counter")
        elif not line.startswith("# HELP "):
            match = _LINE.match(line)
            assert match, line
            assert f"ssd_studio_{match[1]}" in typed
            samples[match[1], match[2]] = float(match[3])
    return samples


@contextmanager
def serving(*pipelines: LivePipeline) -> Iterator[MetricsServer]:
    with MetricsServer(0, lambda: [(each.source.name, each.latest()) for each in pipelines]) as server:
        yield server


def ask(address: str) -> str:
    with urllib.request.urlopen(address, timeout=5) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return str(answer.read().decode())


def test_the_figures_are_those_of_the_view(tmp_path: Path):
    write_video(tmp_path / "clip.mp4", 50)
    source = open_source(str(tmp_path / "clip.mp4"))
    with Watching(source, open_engine=SquareFinder) as watching, serving(watching.pipeline) as server:
        view = watching.until(lambda view: view.status.state is State.ENDED and view.own_boxes)
        samples = read(ask(server.address))
    assert samples["live", 'source="clip.mp4"'] == 0
    assert samples["detector_running", 'source="clip.mp4",device="test bench"'] == 1
    dropped = samples["dropped_frames_total", 'source="clip.mp4",stage="detected"']
    assert dropped == view.figures.undetected
    assert samples["frames_per_second", 'source="clip.mp4",stage="captured"'] > 0
    assert ("recorded_frames", 'source="clip.mp4"') not in samples


def test_a_name_may_hold_anything(tmp_path: Path):
    pipeline = LivePipeline(open_source("0"))
    name = 'back\\yard "1"\nnext'
    assert ("live", r'source="back\\yard \"1\"\nnext"') in read(metrics_text([(name, pipeline.latest())]))


def test_sources_of_one_name_are_told_apart():
    view = LivePipeline(open_source("0")).latest()
    samples = read(metrics_text([(name, view) for name in ("nvr", "nvr", "nvr-2", "nvr")]))
    lives = [labels for name, labels in samples if name == "live"]
    assert lives == ['source="nvr"', 'source="nvr-2"', 'source="nvr-2-2"', 'source="nvr-3"']


def test_whoever_breaks_off_a_question_is_not_worth_a_word(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    with serving() as server, caplog.at_level(logging.DEBUG, "app.metrics"):
        asking = socket.create_connection(("127.0.0.1", int(server.address.split(":")[2].split("/")[0])))
        asking.sendall(b"GET /metr")
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, no end
        asking.close()
        assert eventually(lambda: "broken off" in caplog.text)
        assert read(ask(server.address) + "# TYPE none gauge\n") == {}
    assert capfd.readouterr().err == ""
    assert [record.levelname for record in caplog.records] == ["DEBUG"]


def test_they_are_answered_on_this_computer_only_and_nowhere_else():
    with serving() as server:
        assert server.address.startswith("http://127.0.0.1:")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            ask(server.address.replace("/metrics", "/"))
    with pytest.raises(OSError, match="refused"):
        ask(server.address)


def test_a_port_in_use_is_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OptionError, match=f"--metrics {port} cannot be had"):
            MetricsServer(port, lambda: [])
    with pytest.raises(OptionError, match="--metrics 70000 cannot be had"):
        MetricsServer(70000, lambda: [])
