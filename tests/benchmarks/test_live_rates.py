"""Rates and ages of live sources in the window, from real cameras: run by hand with `-m benchmark -s`.

The window is drawn without a display; painting costs the same as on X there (viewer facts 3.5).
"""

import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from widgets import qt_environment

qt_environment.load_opencv()

from PyQt5.QtWidgets import QApplication  # noqa: E402

from app.pipeline import DetectorState, LivePipeline  # noqa: E402
from app.pipeline.figures import Figures  # noqa: E402
from app.recording.plan import Mode, RecordingPlan  # noqa: E402
from app.settings import Settings  # noqa: E402
from app.sources import frames, open_source  # noqa: E402
from detector.model_store import Model, find_model  # noqa: E402
from detector.values import Detections, Frame  # noqa: E402
from tests.app.rtsp import server_process  # noqa: E402
from tests.app.videos import read_number, write_video  # noqa: E402
from tests.app.watching import SquareFinder  # noqa: E402
from tests.widgets.finding import FinderChooser  # noqa: E402
from widgets import theme  # noqa: E402
from widgets.model_chooser import ModelChooser  # noqa: E402
from widgets.window import Window  # noqa: E402

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]

SETTLED, MEASURED = 8.0, 20.0  # seconds


class Slow(SquareFinder):
    """Takes 300 ms, without keeping a processor busy."""

    def detect(self, frames: Sequence[Frame], **options: Any) -> list[Detections]:
        time.sleep(0.3)
        return super().detect(frames, **options)


@pytest.fixture
def show(qtbot, qapp: QApplication) -> Iterator[Callable[[ModelChooser], Window]]:
    theme.apply(qapp, "dark")
    windows = []

    def make(chooser: ModelChooser) -> Window:
        windows.append(Window(chooser, Settings()))
        windows[-1].show()
        return windows[-1]

    yield make
    for window in windows:
        window.close()
        qtbot.waitUntil(window.isHidden, timeout=4000)


@pytest.fixture
def coco(coco_home: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    monkeypatch.setenv("SSD_STUDIO_HOME", str(coco_home))
    return find_model("coco")


def test_a_detector_of_300_ms_on_30_pictures_a_second(
    qtbot, show: Callable[[ModelChooser], Window], shared: Path, tmp_path: Path
) -> None:
    camera, recorded = tmp_path / "camera.mp4", tmp_path / "out.mp4"
    write_video(camera, 1800, rate=30, size=(768, 432), key_every=30)
    with server_process(shared, camera) as (url, _):
        window = show(FinderChooser(open_engine=Slow))
        window.open_source(url)
        qtbot.wait(int(SETTLED * 1000))
        watched = window.page.watched()
        assert watched is not None
        pipeline = watched[0]
        pipeline.start_recording(recorded, plan=RecordingPlan(mode=Mode.ANNOTATED))
        sampled = watch(qtbot, [pipeline])
        pipeline.stop_recording()
        qtbot.waitUntil(lambda: not pipeline.latest().recording.running, timeout=20_000)
        tell("a detector of 300 ms, 768x432 at 30/s, recorded with boxes", [pipeline], sampled)
    numbers = [read_number(frame.pixels) for frame in frames(open_source(str(recorded)))]
    missed = sum((after - before) % 1800 - 1 for before, after in itertools.pairwise(numbers))
    lost = pipeline.latest().figures.unrecorded
    print(f"recorded: {len(numbers)} frames in a row, {missed} missing, {lost} counted as lost")


def test_four_sources_and_then_one(
    qtbot, show: Callable[[ModelChooser], Window], shared: Path, tmp_path: Path, coco: Model
) -> None:
    camera = tmp_path / "camera.mp4"
    retimed(shared / "video" / "one-by-one-person-detection.mp4", camera, 25)
    with ExitStack() as stack:
        servers = [stack.enter_context(server_process(shared, camera)) for _ in range(4)]
        window = show(ModelChooser(wanted=coco))
        window.together.open([url for url, _ in servers])
        pipelines = [tile.watch.pipeline for tile in window.grid.tiles]
        running = [DetectorState.RUNNING] * 4
        qtbot.waitUntil(lambda: [p.latest().detector.state for p in pipelines] == running, timeout=90_000)
        qtbot.wait(int(SETTLED * 1000))
        tell(f"four sources, 768x432 at 25/s, {coco.name}", pipelines, watch(qtbot, pipelines))
        dropped = pipelines[3].latest().figures.undetected
        for _, server in servers[:3]:
            server.kill()
        qtbot.wait(int(SETTLED * 1000))
        tell("the fourth, after the other three were killed", pipelines[3:], watch(qtbot, pipelines[3:]))
        states = [pipeline.latest().status.state.value for pipeline in pipelines]
        print(f"states: {', '.join(states)}; undetected {dropped} before")


def retimed(clip: Path, path: Path, rate: int) -> None:
    """The same coded pictures at another rate."""
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copied = target.add_stream_from_template(stream)
        assert stream.average_rate
        factor = stream.average_rate / Fraction(rate)
        for packet in source.demux(stream):
            if packet.dts is not None and packet.pts is not None:
                packet.dts, packet.pts = int(packet.dts * factor), int(packet.pts * factor)
                packet.stream = copied
                target.mux(packet)


def watch(qtbot, pipelines: list[LivePipeline]) -> list[list[Figures]]:
    """The figures of each, four times a second."""
    sampled: list[list[Figures]] = [[] for _ in pipelines]
    ends = time.monotonic() + MEASURED
    while time.monotonic() < ends:
        qtbot.wait(250)
        for samples, pipeline in zip(sampled, pipelines):
            samples.append(pipeline.latest().figures)
    return sampled


def tell(what: str, pipelines: list[LivePipeline], sampled: list[list[Figures]]) -> None:
    """The means over the time, and the highest of all 95th percentiles."""
    print(f"\n{what}; {pipelines[0].latest().detector.device}; {MEASURED:g} s")
    print("| source | captured/s | detected/s | shown/s | written/s | inference ms | age ms, 95 % |")
    print("|---|---|---|---|---|---|---|")
    for number, samples in enumerate(sampled, 1):
        rates = [
            sum(getattr(figures, stage) for figures in samples) / len(samples)
            for stage in ("captured", "detected", "shown", "written")
        ]
        infer = [figures.infer_ms[0] for figures in samples if figures.infer_ms]
        ages = [figures.age_ms[1] for figures in samples if figures.age_ms]
        told = " | ".join(f"{rate:.1f}" for rate in rates)
        print(f"| {number} | {told} | {sum(infer) / max(len(infer), 1):.0f} | {max(ages, default=0):.0f} |")
