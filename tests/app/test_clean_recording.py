"""Recording cameras as they send it: copied, with boxes beside it, around events, blurred where wanted."""

import functools
import http.server
import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import av
import numpy as np
import pytest

from app.blur import Blur
from app.pipeline import View
from app.pipeline.figures import Measure
from app.pipeline.mailbox import News
from app.pipeline.recorder.backlog import Backlog
from app.pipeline.recorder.live_recording import LiveRecording, names_after
from app.recording.encoder import Encoder
from app.recording.plan import Mode, RecordingPlan
from app.recording.reel import Cutting
from app.recording.sidecar_reading import Sidecar
from app.sources import Packet, Source, State, StreamFormat, open_source
from detector.values import Pixels
from tests.app.feeding import Feeding
from tests.app.outputs import names, pictures
from tests.app.rtsp import load_server
from tests.app.test_clips import numbers_in, packets_of
from tests.app.videos import numbered_picture, read_number, write_video
from tests.app.watching import SquareFinder, Watching


def running(view: View) -> bool:
    return view.recording is not None and view.recording.running


def finished(view: View) -> bool:
    return view.recording is not None and not view.recording.running


@pytest.fixture(scope="module")
def server(shared: Path) -> ModuleType:
    return load_server(shared)


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds at 25/s, a key frame each second."""
    path = tmp_path_factory.mktemp("camera") / "camera.mp4"
    write_video(path, 300, key_every=25)
    return path


def recorded(url: str, path: Path, plan: RecordingPlan, frames: int = 60, **options: object) -> View:
    """The view after so many frames have been recorded."""
    with Watching(open_source(url), **options) as watching:
        watching.pipeline.start_recording(path, plan=plan)
        watching.until(lambda view: view.recording.frames >= frames)
        watching.pipeline.stop_recording()
        return watching.until(finished)


def test_a_clean_recording_holds_the_bits_the_camera_sent(
    server: ModuleType, camera: Path, tmp_path: Path
) -> None:
    with server.RtspServer(camera) as rtsp:
        view = recorded(rtsp.url, tmp_path / "out.mp4", RecordingPlan(mode=Mode.CLEAN))
    assert view.recording and view.recording.failure == "" and view.figures.unrecorded == 0
    times, numbers = numbers_in(tmp_path / "out.mp4")
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) and len(numbers) >= 60
    assert np.diff(times)[1:] == pytest.approx(0.04, abs=0.002)  # the server's first packet has no time
    _, sent = packets_of(camera)
    _, kept = packets_of(tmp_path / "out.mp4")
    by_end = {packet.content[-40:] for packet in sent}
    assert all(packet.content[-40:] in by_end for packet in kept)
    assert names(tmp_path) == ["out.mp4"]


def test_a_copy_begun_in_mid_stream_begins_with_the_last_key_frame(
    server: ModuleType, camera: Path, tmp_path: Path
) -> None:
    with server.RtspServer(camera) as rtsp, Watching(open_source(rtsp.url)) as watching:
        view = watching.until(lambda view: view.frame and 10 <= read_number(view.frame.pixels) % 25 < 20)
        assert view.frame is not None
        seen = read_number(view.frame.pixels)
        watching.pipeline.start_recording(tmp_path / "out.mp4", plan=RecordingPlan(mode=Mode.CLEAN))
        watching.until(lambda view: view.recording.frames > 20)
        watching.pipeline.stop_recording()
        watching.until(finished)
    _, numbers = numbers_in(tmp_path / "out.mp4")
    assert numbers[0] % 25 == 0 and numbers[0] <= seen
    assert numbers == list(range(numbers[0], numbers[-1] + 1))


def test_the_boxes_beside_a_copy_lie_on_its_frames(server: ModuleType, camera: Path, tmp_path: Path) -> None:
    with server.RtspServer(camera) as rtsp, Watching(
        open_source(rtsp.url), open_engine=SquareFinder
    ) as watching:  # fmt: skip
        watching.until(lambda view: len(view.detections))
        watching.pipeline.start_recording(tmp_path / "out.mp4", plan=RecordingPlan(mode=Mode.SIDECAR))
        watching.until(lambda view: view.recording.frames > 60)
        watching.pipeline.stop_recording()
        watching.until(finished)
    assert names(tmp_path) == ["out.jsonl", "out.mp4"]
    sidecar, off = Sidecar(tmp_path / "out.jsonl"), []
    with av.open(str(tmp_path / "out.mp4")) as container:
        for frame in itertools.islice(container.decode(video=0), 30, 60):
            number = read_number(frame.to_ndarray(format="bgr24"))
            found = sidecar.found_at(frame.time)
            assert found is not None
            off.append(abs(found.boxes[0, 0] - 4 * number % (192 - 16)))
    assert np.median(off) <= 12  # the square moves 4 pixels a frame; boxes may be some frames old
    header = json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])
    assert header["classes"] == ["square", "number"]


def test_a_camera_that_comes_back_with_another_size_gets_another_file(
    server: ModuleType, camera: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other-camera.mp4"
    write_video(other, 100, size=(96, 48), key_every=25)
    with server.RtspServer(camera) as rtsp:
        port = urlsplit(rtsp.url).port
        watching = Watching(open_source(rtsp.url)).__enter__()
        watching.pipeline.start_recording(tmp_path / "out.mp4", plan=RecordingPlan(mode=Mode.CLEAN))
        watching.until(lambda view: view.recording.frames > 30)
    with server.RtspServer(other, port=port):
        watching.pipeline.try_now()
        watching.until(lambda view: view.frame and view.frame.width == 96 and len(view.recording.files))
        watching.until(lambda view: view.recording.frames > 60)
        watching.pipeline.stop_recording()
        view = watching.until(finished)
        watching.__exit__(None, None, None)
    assert view.recording and view.recording.failure == ""
    sizes = [{picture.shape for picture in pictures(file.path)} for file in view.recording.files]
    assert sizes == [{(96, 192, 3)}, {(48, 96, 3)}]


@pytest.mark.parametrize("mode", [Mode.CLEAN, Mode.ANNOTATED])
def test_what_is_seen_is_recorded_with_what_came_before_it(
    server: ModuleType, camera: Path, tmp_path: Path, mode: Mode
) -> None:
    """The square is found from the third second on: the clip begins earlier."""

    class LateFinder(SquareFinder):
        def _look(self, frame, nms_iou):  # type: ignore[no-untyped-def]
            found = super()._look(frame, nms_iou)
            return found if 75 <= read_number(frame.pixels) < 90 else found[:0]

    plan = RecordingPlan(mode=mode, cutting=Cutting(on_events=True, pre_roll=1.0, post_roll=1.5))
    with server.RtspServer(camera) as rtsp, Watching(
        open_source(rtsp.url), open_engine=LateFinder
    ) as watching:  # fmt: skip
        watching.pipeline.start_recording(tmp_path / "out.mp4", plan=plan)
        assert watching.until(running).recording.waiting
        assert names(tmp_path) == []
        watching.until(lambda view: view.recording.files, 30)
        watching.pipeline.stop_recording()
        watching.until(finished)
    _, numbers = numbers_in(tmp_path / "out.mp4")
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert 25 <= numbers[0] <= 65, "a second before it, and up to one more to a key frame"
    assert 110 <= numbers[-1] <= 170


def test_an_event_told_from_outside_is_kept_too(server: ModuleType, camera: Path, tmp_path: Path) -> None:
    plan = RecordingPlan(
        mode=Mode.CLEAN, on_sight=False, cutting=Cutting(on_events=True, pre_roll=1.0, post_roll=1.0)
    )
    with server.RtspServer(camera) as rtsp, Watching(
        open_source(rtsp.url), open_engine=SquareFinder
    ) as watching:  # fmt: skip
        watching.pipeline.start_recording(tmp_path / "out.mp4", plan=plan)
        view = watching.until(lambda view: view.frame and read_number(view.frame.pixels) > 60)
        assert view.recording.waiting and names(tmp_path) == []
        watching.pipeline.trigger_recording("somebody is at the door")
        watching.until(lambda view: view.recording.files, 30)
    _, numbers = numbers_in(tmp_path / "out.mp4")
    assert numbers[0] <= 50 and numbers[-1] >= 80


def sharpest(picture: Pixels) -> int:
    """The greatest step from one pixel to the next but one: 219 at the edge of a cell."""
    return int(np.abs(picture[:, 2:].astype(int) - picture[:, :-2]).max())


def test_what_is_to_be_blurred_is_never_copied_and_never_shown(
    server: ModuleType, camera: Path, tmp_path: Path
) -> None:
    with server.RtspServer(camera) as rtsp, Watching(
        open_source(rtsp.url), open_engine=SquareFinder, blur=Blur(["number"])
    ) as watching:  # fmt: skip
        first = watching.until(lambda view: view.frame).frame
        assert first is not None and sharpest(first.pixels) < 60, "before the first answer nothing is seen"
        watching.pipeline.start_recording(tmp_path / "out.mp4", plan=RecordingPlan(mode=Mode.CLEAN))
        watching.until(lambda view: view.recording.frames > 40)
        view = watching.until(lambda view: view.own_boxes)
        assert view.frame is not None
        assert sharpest(view.frame.pixels[:28]) < 60 < sharpest(numbered_picture(1365)[:28])
        watching.pipeline.stop_recording()
        watching.until(finished)
    for picture in pictures(tmp_path / "out.mp4"):
        assert sharpest(picture[:28]) < 60


def test_an_encoder_that_cannot_keep_up_works_faster_before_frames_are_dropped(
    tmp_path: Path,
) -> None:
    """At a rate that the usual preset cannot hold on this processor, whichever it is."""
    plan, noise = RecordingPlan(mode=Mode.CLEAN), np.random.default_rng(0)
    encoder, began = Encoder(480, 640, 25.0), time.perf_counter()
    for number in range(20):
        encoder.encode(noise.integers(0, 255, (480, 640, 3), np.uint8), number * 3600)
    rate = 1.5 * 20 / (time.perf_counter() - began)
    with Feeding(tmp_path / "out.mp4", plan, rate=rate, size=(480, 640)) as feeding:
        state = feeding.until(lambda state: "works faster now (superfast)" in state.warning)
        assert feeding.measure.figures(0.0).unrecorded == 0
        assert "files get larger" in state.warning
    assert feeding.state.failure == ""


def test_the_backlog_of_packets_begins_with_a_key_frame_and_does_not_grow() -> None:
    backlog = Backlog()
    backlog.add(Packet(b"0", 0.0, 0.0, False))
    assert backlog.items() == []
    form = StreamFormat("h264", b"", 10, 10, 1)  # type: ignore[arg-type]
    backlog.add(form)
    for number in range(100):
        backlog.add(Packet(b"x" * 10, number / 25, number / 25, number % 30 == 10))
    first, *packets = backlog.items()
    assert first is form and len(packets) == 30 and packets[0].keyframe  # type: ignore[union-attr]
    for number in range(100, 2000):
        backlog.add(Packet(b"x" * 10, number / 25, number / 25, False))
    assert len(backlog.items()) == 1


def test_a_source_that_sends_nothing_to_copy_is_encoded(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", 30)
    with Watching(open_source(str(tmp_path / "clip.mp4"))) as watching:
        watching.pipeline.start_recording(tmp_path / "out.mp4", plan=RecordingPlan(mode=Mode.CLEAN))
        watching.until(lambda view: view.status.state is State.ENDED)
        watching.pipeline.stop_recording()
        watching.until(finished)
    numbers = numbers_in(tmp_path / "out.mp4")[1]
    assert numbers == list(range(numbers[0], 30)) and len(numbers) > 20


@contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """The address of a folder that a real web server gives away."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *_: object) -> None:
            pass

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("mode", [Mode.CLEAN, Mode.SIDECAR])
def test_a_recording_on_the_web_sends_nothing_to_copy_and_is_encoded(tmp_path: Path, mode: Mode) -> None:
    (tmp_path / "web").mkdir()
    write_video(tmp_path / "web/clip.mp4", 40)
    with (
        web_server(tmp_path / "web") as address,
        Watching(open_source(f"{address}/clip.mp4"), open_engine=SquareFinder) as watching,
    ):
        watching.pipeline.start_recording(tmp_path / "out.mp4", plan=RecordingPlan(mode=mode))
        watching.until(lambda view: view.status.state is State.ENDED)
        watching.pipeline.stop_recording()
        view = watching.until(finished)
    assert view.recording and view.recording.failure == ""
    numbers = numbers_in(tmp_path / "out.mp4")[1]
    assert numbers == list(range(numbers[0], 40)) and len(numbers) > 30


def _cut(packet: Packet) -> Packet:
    """What is left of a key frame: its headers, and the first byte of the picture."""
    return replace(packet, content=packet.content[: packet.content.index(b"\x00\x00\x01\x65") + 4])


@pytest.mark.parametrize("on_events", [False, True])
@pytest.mark.parametrize("damaged", [[0], [50, 75], [0, 25, 150]])
def test_damaged_key_frames_end_no_recording(
    camera: Path, tmp_path: Path, damaged: list[int], on_events: bool
) -> None:
    source = Source("porch")
    source.live = source.offers_packets = True
    cutting = Cutting(segment_seconds=1.0, on_events=on_events, pre_roll=1.0, post_roll=60.0)
    recording = LiveRecording(
        names_after(tmp_path / "out.mp4"), tmp_path, RecordingPlan(mode=Mode.CLEAN, cutting=cutting),
        source=source, copies=True, patient=False, measure=Measure(), news=News(None),
    )  # fmt: skip
    recording.offer_coded(StreamFormat("h264", b"", 192, 96, Fraction(1, 90000)))
    for number, packet in enumerate(packets_of(camera)[1]):
        recording.offer_coded(_cut(packet) if number in damaged else packet)
        if number == 10:
            recording.trigger()
    recording.finish()
    assert recording.join(30)
    files = [file.path for file in recording.state.files]
    assert recording.state.failure == "" and names(tmp_path) == sorted(path.name for path in files)
    assert files[0].name == "out.mp4" and len(files) == 12 - len(damaged)
    read = {read_number(picture) for path in files for picture in pictures(path)}
    whole = [number for number in range(300) if number - number % 25 not in damaged]
    assert set(whole) <= read
