"""`--capture opencv`: files and streams by OpenCV alone, in the same child and under the same rules."""

from pathlib import Path

import pytest

from app.sources import State, Status, open_source
from detector.errors import OptionError
from detector.values import Frame
from tests.app.rtsp import load_server
from tests.app.videos import after, frames_of, read_number, read_until, statuses, write_video


def test_a_file_gives_every_frame_at_its_time(tmp_path: Path):
    times = write_video(tmp_path / "a.mp4", 30, b_frames=2)
    source = open_source(str(tmp_path / "a.mp4"), capture="opencv")
    read = frames_of(source)
    assert [read_number(frame.pixels) for frame in read] == list(range(30))
    assert [frame.pts for frame in read] == pytest.approx(times, abs=0.002)
    assert (source.rate, source.seekable) == (25.0, True) and source.duration == pytest.approx(1.2)


def test_a_file_can_be_sought_in(tmp_path: Path):
    write_video(tmp_path / "a.mp4", 60)
    source = open_source(str(tmp_path / "a.mp4"), start=1.0, capture="opencv")
    first, *_ = frames_of(source)
    assert read_number(first.pixels) == 25
    source.seek(1.0, before=True)
    first, *_ = frames_of(source)
    assert read_number(first.pixels) == 24


@pytest.mark.parametrize("name", ["missing.mp4", "text.mp4"])
def test_what_cannot_be_opened_is_one_sentence(tmp_path: Path, name: str):
    (tmp_path / "text.mp4").write_text("no video")
    last = list(open_source(str(tmp_path / name), capture="opencv"))[-1]
    assert isinstance(last, Status) and last.state is State.FAILED and name in last.sentence


def test_a_stream_is_live_and_offers_no_packets(shared: Path, tmp_path: Path):
    write_video(tmp_path / "a.mp4", 50)
    with load_server(shared).RtspServer(tmp_path / "a.mp4", auth="cam:p@ss") as server:
        source = open_source(server.url.replace("//", "//cam:p@ss@"), capture="opencv")
        items = read_until(source, after(10))
    assert [status.state for status in statuses(items)] == [State.CONNECTING, State.LIVE]
    numbers = [read_number(item.pixels) for item in items if isinstance(item, Frame)]
    assert numbers == list(range(10))
    assert source.live and not source.offers_packets


def test_a_wrong_password_is_said_and_not_tried_again_by_itself(shared: Path, tmp_path: Path):
    write_video(tmp_path / "a.mp4", 10)
    with load_server(shared).RtspServer(tmp_path / "a.mp4", auth="cam:right") as server:
        source = open_source(server.url.replace("//", "//cam:wrong@"), capture="opencv")
        *_, last = read_until(source, lambda item: isinstance(item, Status) and bool(item.retry_in))
    assert isinstance(last, Status) and last.state is State.WRONG_PASSWORD and last.retry_in == 300.0


def test_another_name_is_refused():
    with pytest.raises(OptionError, match="one of auto, opencv"):
        open_source("a.mp4", capture="magic")
