"""Network cameras against a real RTSP server with real faults: said in words, waited for, never hammered."""

import http.server
import logging
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import cv2
import pytest

from app.sources import State, Status, frames, open_source
from app.sources.reconnecting import HEALTHY, SPREAD, WAITS, Backoff
from app.sources.wall_clock import WallClock
from detector.errors import SourceError
from detector.values import Frame
from tests.app.rtsp import server_process
from tests.app.videos import after, eventually, read_number, read_until, statuses, write_video


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    write_video(path, 100)
    return path


def reaches(state: State) -> Callable[[Frame | Status], bool]:
    return lambda item: isinstance(item, Status) and item.state is state


def test_a_stream_gives_its_frames_as_they_come(rtsp: ModuleType, clip: Path):
    with rtsp.RtspServer(clip) as server:
        source = open_source(server.url)
        items = read_until(source, after(40))
    seen = [item for item in items if isinstance(item, Frame)]
    assert [read_number(frame.pixels) for frame in seen] == list(range(40))
    assert [frame.pts for frame in seen] == pytest.approx([n / 25 for n in range(40)], abs=0.3)
    assert seen[-1].pts - seen[-20].pts == pytest.approx(19 / 25, abs=1e-3)  # its own clock, not ours
    assert [status.state for status in statuses(items)] == [State.CONNECTING, State.LIVE]
    assert source.live and not source.seekable and source.duration is None


def test_pictures_are_asked_for_over_tcp_at_once(
    rtsp: ModuleType, clip: Path, monkeypatch: pytest.MonkeyPatch
):
    asked, answer = [], rtsp.Session.answer

    def listen(session: Any, request: list[str], fields: dict[str, str]) -> None:
        asked.append(fields.get("transport", ""))
        answer(session, request, fields)

    monkeypatch.setattr(rtsp.Session, "answer", listen)
    with rtsp.RtspServer(clip) as server:
        read_until(open_source(server.url), after(1))
    assert [transport.split(";")[0] for transport in asked if transport] == ["RTP/AVP/TCP"]


def test_nobody_there_is_said_and_tried_again(clip: Path):
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        source = open_source(f"rtsp://127.0.0.1:{reserved.getsockname()[1]}/live")
        items = iter(source)
        assert next(items).state is State.CONNECTING  # type: ignore[union-attr]
        refused = next(items)
        assert isinstance(refused, Status) and refused.state is State.RECONNECTING
        assert "refused" in refused.sentence
        assert refused.retry_in == pytest.approx(1.0, rel=SPREAD)
        due = refused.made_at + refused.retry_in
        assert [refused.seconds_left(due - before) for before in (2.5, 0.5, -9)] == [3, 1, 1]
        assert next(items).state is State.CONNECTING  # type: ignore[union-attr]
        second = next(items)
        assert isinstance(second, Status) and second.retry_in == pytest.approx(2.0, rel=SPREAD)


def test_a_silent_host_is_given_up_after_five_seconds(rtsp: ModuleType, clip: Path):
    with rtsp.RtspServer(clip, silent=True) as server:
        items = read_until(open_source(server.url), reaches(State.RECONNECTING))
    connecting, given_up = statuses(items)
    assert given_up.made_at - connecting.made_at >= 4.9  # how much later is this computer's affair
    assert "no answer within 5 s" in given_up.sentence


def test_connecting_to_a_silent_host_is_stopped_at_once(rtsp: ModuleType, clip: Path):
    with rtsp.RtspServer(clip, silent=True) as server:
        source = open_source(server.url)
        reader = threading.Thread(target=lambda: list(source))
        reader.start()
        assert eventually(lambda: server.accepted == 1)
        source.stop()
        reader.join(1.0)
        assert not reader.is_alive()


def test_a_wrong_password_is_not_tried_again_by_itself(rtsp: ModuleType, clip: Path):
    with rtsp.RtspServer(clip, auth="cam:right") as server:
        source = open_source(server.url.replace("//", "//cam:wrong@"))
        items = iter(source)
        next(items)
        refused = next(items)
        assert isinstance(refused, Status) and refused.state is State.WRONG_PASSWORD
        assert refused.retry_in == 300.0
        tried = server.accepted
        reader = threading.Thread(target=next, args=(items,))  # it waits now, for five minutes
        reader.start()
        assert not eventually(lambda: server.accepted > tried or not reader.is_alive(), 2.0)
        source.try_now()  # unless somebody asks
        reader.join(5.0)
        assert not reader.is_alive()
        source.stop()


def test_a_wrong_path_is_said(rtsp: ModuleType, clip: Path):
    with rtsp.RtspServer(clip, not_found=True) as server:
        *_, last = read_until(open_source(server.url), reaches(State.NOT_FOUND))
    assert isinstance(last, Status) and "404" in last.sentence


@pytest.mark.parametrize("scheme", ["digest", "basic"])
@pytest.mark.parametrize("encoded", [True, False])
def test_any_password_opens_the_stream_and_appears_nowhere(
    rtsp: ModuleType, clip: Path, caplog: pytest.LogCaptureFixture, scheme: str, encoded: bool
):
    password = "p@ss:w/o#r?d%_é"
    caplog.set_level(logging.DEBUG)
    with rtsp.RtspServer(clip, auth=f"cam:{password}", auth_scheme=scheme) as server:
        written = quote(password, safe="") if encoded else password
        source = open_source(server.url.replace("//", f"//cam:{written}@"))
        items = read_until(source, after(3))
    assert isinstance(items[-1], Frame)
    texts = [source.name, caplog.text, *(s.sentence for s in statuses(items))]
    texts += [item.source for item in items if isinstance(item, Frame)]
    assert not [text for text in texts if "p@ss" in text or "p%40ss" in text or "cam" in text]


def test_a_password_appears_in_no_error(rtsp: ModuleType, clip: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    with rtsp.RtspServer(clip, auth="cam:right") as server:
        source = open_source(server.url.replace("//", "//cam:hunter2@"))
        with pytest.raises(SourceError) as raised:
            list(frames(source))
    assert "hunter2" not in str(raised.value) + caplog.text and "401" in str(raised.value)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("foo://10.0.0.5/live", "foo://"),
        ("rtsp://", "complete address"),
        ("rtsp://10.0.0.5:99999/live", "complete address"),
        ("rtsp://[fe80::1/live", "complete address"),
    ],
)
def test_an_address_that_can_never_work_fails(address: str, words: str):
    last = list(open_source(address))[-1]
    assert isinstance(last, Status) and last.state is State.FAILED
    assert words in last.sentence


def test_a_stream_that_falls_silent_is_reconnected_after_five_seconds(rtsp: ModuleType, clip: Path):
    with rtsp.RtspServer(clip, stall_after=0.6) as server:
        items = read_until(open_source(server.url), reaches(State.RECONNECTING))
    pictures = [item for item in items if isinstance(item, Frame)]
    assert 10 <= len(pictures) <= 20
    silent = list(statuses(items))[-1]
    # the decoder holds the newest picture back until its first time-out
    assert silent.made_at - pictures[-2].captured_at >= 4.0
    assert "silent" in silent.sentence


def test_a_stream_that_breaks_off_is_reconnected_and_its_times_run_on(rtsp: ModuleType, clip: Path):
    connections = 0

    def third_live(item: Frame | Status) -> bool:
        nonlocal connections
        connections += isinstance(item, Status) and item.state is State.LIVE
        return connections == 2 and isinstance(item, Frame)

    with rtsp.RtspServer(clip, drop_after=0.5) as server:
        items = read_until(open_source(server.url), third_live)
    pictures = [item for item in items if isinstance(item, Frame)]
    before, following = pictures[-2], pictures[-1]
    assert read_number(following.pixels) == 0  # the server starts from the beginning
    gap = following.captured_at - before.captured_at
    assert following.pts - before.pts == pytest.approx(gap, abs=0.3)
    assert [frame.sequence for frame in pictures] == list(range(len(pictures)))


def test_a_killed_server_that_comes_back_is_found_again(shared: Path, clip: Path):
    with server_process(shared, clip) as (url, first):
        source = open_source(url)
        states: list[State] = []
        counts: list[int] = []

        def read() -> None:
            for item in source:
                if isinstance(item, Status):
                    states.append(item.state)
                else:
                    counts.append(item.sequence)

        reader = threading.Thread(target=read)
        reader.start()
        assert eventually(lambda: len(counts) > 5)
        first.kill()
        assert eventually(lambda: states[-1:] == [State.RECONNECTING])
    pictures = len(counts)
    with server_process(shared, clip, port=int(url.split(":")[2].split("/")[0])):
        source.try_now()
        assert eventually(lambda: len(counts) > pictures + 5)
        source.stop()
        reader.join(5.0)
    assert not reader.is_alive()
    assert states[0] is State.CONNECTING and states[-1] is State.LIVE


def test_a_size_that_changes_is_followed(rtsp: ModuleType, clip: Path, tmp_path: Path):
    write_video(tmp_path / "larger.mp4", 50, size=(288, 144))
    with rtsp.RtspServer(clip, size_change=str(tmp_path / "larger.mp4"), change_after=0.5) as server:
        items = read_until(
            open_source(server.url), lambda item: isinstance(item, Frame) and item.width == 288
        )
    widths = [item.width for item in items if isinstance(item, Frame)]
    assert widths[:-1] == [192] * (len(widths) - 1)


def test_a_detecting_command_hears_that_a_stream_cannot_be_reached():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        with pytest.raises(SourceError, match="refused"):
            next(frames(open_source(f"rtsp://127.0.0.1:{reserved.getsockname()[1]}/live")))


class _Files(http.server.SimpleHTTPRequestHandler):
    """Files, and under /camera pictures one after the other as network cameras send them."""

    def do_GET(self) -> None:
        if self.path != "/camera":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        for number in range(200):
            jpeg = cv2.imencode(".jpg", cv2.UMat(120, 160, cv2.CV_8UC3, (number, 0, 0)).get())[1].tobytes()
            head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            try:
                self.wfile.write(head.encode() + jpeg + b"\r\n")
            except OSError:  # the viewer has gone
                return None
            time.sleep(0.02)  # a camera's pace
        return None

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(clip: Path):
    """The address of a web server that has the clip."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=clip.parent)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_camera_that_sends_jpegs_over_http_is_live(web: str):
    source = open_source(f"{web}/camera")
    items = read_until(source, after(5))
    assert isinstance(items[-1], Frame) and items[-1].pixels.shape == (120, 160, 3)
    assert source.live


def test_a_recording_on_a_web_server_is_not_live_and_ends(web: str, tmp_path: Path, clip: Path):
    write_video(clip.parent / "recording.mkv", 30)
    source = open_source(f"{web}/recording.mkv")
    items = list(source)
    assert [read_number(i.pixels) for i in items if isinstance(i, Frame)] == list(range(30))
    assert not source.live and source.duration == pytest.approx(1.2, abs=0.05)
    last = items[-1]
    assert isinstance(last, Status) and last.state is State.ENDED


def test_waits_grow_to_thirty_seconds_and_begin_anew_after_health():
    backoff = Backoff()
    waits = [backoff.next_wait(healthy_for=1.0) for _ in range(8)]
    for wait, usual in zip(waits, [*WAITS, WAITS[-1], WAITS[-1]]):
        assert usual * (1 - SPREAD) <= wait <= usual * (1 + SPREAD)
    assert backoff.next_wait(healthy_for=HEALTHY) <= 1.0 + SPREAD


def test_packets_and_their_pictures_get_the_same_rising_times_whatever_the_camera_s_clock_does():
    clock = WallClock()
    told = [(0.0, 0.0), (0.12, 0.04), (0.08, 0.08), (0.08, 0.08), (900.0, 899.9), (3.0, 3.0), (3.04, 3.04)]
    packets = [clock.packet(pts, dts) for pts, dts in told]
    decoding = [dts for _, dts in packets]
    assert decoding == sorted(set(decoding))
    shown = [clock.picture(pts) for pts, _ in told]  # a decoder may hold all of them back
    assert [pts for pts, _ in packets] == shown
    assert shown[1] - shown[0] == pytest.approx(0.12) and shown[-1] - shown[-2] == pytest.approx(0.04)
    assert max(shown) < 5.0  # no jump of the camera's clock is followed


def test_jumping_media_times_become_times_that_rise():
    clock = WallClock()
    given = [5.0, 5.04, 5.08, 3.0, 3.04, 900.0, 900.04]
    times = [clock.picture(seconds) for seconds in given]
    assert times == sorted(times)
    assert times[2] - times[0] == pytest.approx(0.08)
    assert times[-1] < 1.0
