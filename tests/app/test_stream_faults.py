"""Cameras that freeze, come back different, or come and go for weeks: real servers, real processes."""

import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import av
import pytest

from app.sources import Packet, Source, State, Status, StreamFormat, open_source
from detector.values import Frame
from tests.app.decoders import children, descriptors, memory, send_all
from tests.app.rtsp import server_process
from tests.app.videos import after, eventually, read_number, read_until, write_video

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    write_video(path, 100, b_frames=2)
    return path


class Watched:
    """A source that is read in a thread, as a window would; what came so far."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.statuses: list[Status] = []
        self.frames: list[Frame] = []
        self._thread = threading.Thread(target=self._read)

    def _read(self) -> None:
        for item in self.source:
            if isinstance(item, Frame):
                self.frames.append(item)
                del self.frames[:-30]
            else:
                self.statuses.append(item)

    @property
    def state(self) -> State | None:
        return self.statuses[-1].state if self.statuses else None

    def until(self, state: State, seconds: float = 30.0) -> Status:
        assert eventually(lambda: self.state is state, seconds), self.statuses
        return self.statuses[-1]

    def until_more_frames(self, count: int = 3) -> None:
        last = self.frames[-1].sequence if self.frames else -1
        assert eventually(lambda: bool(self.frames) and self.frames[-1].sequence >= last + count, 30)


@contextmanager
def watched(source: Source) -> Iterator[Watched]:
    watching = Watched(source)
    watching._thread.start()
    try:
        yield watching
    finally:
        source.stop()
        watching._thread.join(5.0)
        assert not watching._thread.is_alive()


@linux_only
def test_a_frozen_camera_is_stalled_then_lost_and_found_again_when_it_thaws(shared: Path, clip: Path):
    with server_process(shared, clip) as (url, server), watched(open_source(url)) as watching:
        watching.until_more_frames(30)
        server.send_signal(signal.SIGSTOP)
        stalled = watching.until(State.STALLED)
        assert stalled.made_at - watching.frames[-1].captured_at >= 1.0
        server.send_signal(signal.SIGCONT)
        watching.until(State.LIVE)
        watching.until_more_frames(30)
        server.send_signal(signal.SIGSTOP)
        lost = watching.until(State.RECONNECTING)
        assert "silent" in lost.sentence and lost.made_at - watching.frames[-1].captured_at >= 5.0
        assert eventually(lambda: "no answer within 5 s" in watching.statuses[-1].sentence, 20)
        server.send_signal(signal.SIGCONT)
        watching.source.try_now()
        watching.until(State.LIVE)
        watching.until_more_frames()


@linux_only
def test_a_decoder_that_crashes_on_a_stream_is_a_sentence_and_a_reconnect(
    shared: Path, clip: Path, caplog: pytest.LogCaptureFixture
):
    with server_process(shared, clip) as (url, _), watched(open_source(url)) as watching:
        watching.until_more_frames()
        send_all(signal.SIGSEGV)
        crashed = watching.until(State.CRASHED)
        assert "its decoder has crashed (SIGSEGV)" in crashed.sentence and crashed.retry_in
        watching.until(State.LIVE)
        watching.until_more_frames()
    assert "SIGSEGV" in caplog.text
    times = [frame.pts for frame in watching.frames]
    assert times == sorted(set(times))


@linux_only
def test_trouble_of_one_camera_does_not_delay_another(shared: Path, clip: Path):
    with (
        server_process(shared, clip) as (url, _),
        server_process(shared, clip) as (other, frozen),
        watched(open_source(url)) as healthy,
        watched(open_source(other)) as troubled,
    ):
        healthy.until_more_frames()
        troubled.until_more_frames()
        frozen.send_signal(signal.SIGSTOP)
        troubled.until(State.RECONNECTING)
        healthy.until_more_frames()
        assert [status.state for status in healthy.statuses] == [State.CONNECTING, State.LIVE]


def test_a_camera_may_come_back_with_another_size(shared: Path, clip: Path, tmp_path: Path):
    write_video(tmp_path / "larger.mp4", 50, size=(288, 144))
    with server_process(shared, clip) as (url, server), watched(open_source(url)) as watching:
        watching.until_more_frames()
        server.kill()
        watching.until(State.RECONNECTING)
        with server_process(shared, tmp_path / "larger.mp4", port=int(url.split(":")[2].split("/")[0])):
            watching.source.try_now()
            assert eventually(lambda: watching.frames[-1].width == 288, 20)
            read_number(watching.frames[-1].pixels)


@pytest.mark.slow
def test_a_camera_that_sends_a_picture_now_and_then_is_not_given_up(tmp_path: Path, rtsp: ModuleType):
    # Seven seconds between two pictures: longer than a usual camera may be silent.
    write_video(tmp_path / "slow.mp4", times_ms=[0, 7000, 14000, 21000], key_every=1)
    with rtsp.RtspServer(tmp_path / "slow.mp4") as server, watched(open_source(server.url)) as watching:
        assert eventually(lambda: len(watching.frames) >= 1, 30)
        assert eventually(lambda: watching.state is State.STALLED, 10)
        watching.source.try_now()
        assert eventually(lambda: len(watching.frames) >= 3, 60)


def test_the_packets_of_a_stream_are_its_pictures_at_the_same_times(rtsp: ModuleType, clip: Path):
    told: list[StreamFormat | Packet | Frame] = []
    with rtsp.RtspServer(clip) as server:
        source = open_source(server.url)
        assert source.offers_packets
        source.packets = told.append
        told += [item for item in read_until(source, after(60)) if isinstance(item, Frame)]
    packets = [item for item in told if isinstance(item, Packet)]
    shown = [item for item in told if isinstance(item, Frame)]
    (form,) = [item for item in told if isinstance(item, StreamFormat)]
    assert told.index(form) == 0 and (form.codec, form.width, form.height) == ("h264", 192, 96)
    assert packets[0].keyframe and not all(packet.keyframe for packet in packets)
    decoding = [packet.dts for packet in packets]
    assert decoding == sorted(set(decoding)) and all(packet.dts <= packet.pts for packet in packets)

    decoder = av.CodecContext.create(form.codec, "r")  # the oracle: what a recording of them would show
    decoder.extradata = form.extradata
    pictures = {}
    for packet in packets:
        coded = av.Packet(packet.content)
        coded.pts, coded.dts, coded.time_base = (
            round(packet.pts * 1e6),
            round(packet.dts * 1e6),
            Fraction(1, 10**6),
        )
        pictures |= {picture.pts: picture for picture in decoder.decode(coded)}
    both = [frame for frame in shown if round(frame.pts * 1e6) in pictures]
    assert len(both) >= 55
    for frame in both:
        again = pictures[round(frame.pts * 1e6)].to_ndarray(format="bgr24")
        assert read_number(again) == read_number(frame.pixels)


def test_packets_tell_a_new_size_before_the_first_picture_of_it(rtsp: ModuleType, clip: Path, tmp_path: Path):
    write_video(tmp_path / "larger.mp4", 50, size=(288, 144))
    told: list[StreamFormat | Packet] = []
    with rtsp.RtspServer(clip, size_change=str(tmp_path / "larger.mp4"), change_after=0.5) as server:
        source = open_source(server.url)
        source.packets = told.append
        read_until(source, lambda item: isinstance(item, Frame) and item.width == 288)
    first, second = (item for item in told if isinstance(item, StreamFormat))
    assert (first.width, second.width) == (192, 288)
    following = told[told.index(second) + 1]
    assert isinstance(following, Packet) and following.keyframe
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = second.extradata
    decoder.decode(av.Packet(following.content))
    assert (decoder.width, decoder.height) == (288, 144)


def _reconnect(watching: Watched, times: int) -> None:
    for _ in range(times):
        watching.until(State.RECONNECTING)
        watching.source.try_now()
        assert eventually(lambda: watching.state is not State.RECONNECTING)


@linux_only
def test_reconnecting_leaves_no_descriptor_and_no_thread(shared: Path, clip: Path):
    with (
        server_process(shared, clip, "--drop-after", "0.1") as (url, _),
        watched(open_source(url)) as watching,
    ):
        _reconnect(watching, 2)
        watching.until(State.RECONNECTING)
        before = descriptors(), threading.active_count()
        _reconnect(watching, 8)
        watching.until(State.RECONNECTING)
        assert (descriptors(), threading.active_count()) == before
        assert len(children()) == 1


@linux_only
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_hundred_reconnects_leave_memory_flat(shared: Path, clip: Path):
    def figures() -> tuple[int, ...]:
        return memory(), memory(child), descriptors(), descriptors(child)

    with (
        server_process(shared, clip, "--drop-after", "0.1") as (url, _),
        watched(open_source(url)) as watching,
    ):
        _reconnect(watching, 50)
        watching.until(State.RECONNECTING)
        (child,) = children()
        before = figures()
        _reconnect(watching, 150)
        watching.until(State.RECONNECTING)
        grown = [now - then for now, then in zip(figures(), before)]
    logging.getLogger(__name__).info("grown by %s", grown)
    assert max(grown[:2]) < 4 * 2**20 and grown[2:] == [0, 0]
