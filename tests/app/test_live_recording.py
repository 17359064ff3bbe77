"""Recording what is watched: every frame, with the boxes of that moment, whatever is done meanwhile."""

from itertools import pairwise
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest

from app.pipeline import Choice, View
from app.pipeline.figures import Measure
from app.pipeline.mailbox import Entry, News
from app.pipeline.recorder.encoding import Clock
from app.pipeline.recorder.live_recording import LiveRecording, names_after
from app.recording.plan import RecordingPlan
from app.recording.reel import Cutting, Reel
from app.recording.sidecar import Finder
from app.sources import Source, State, open_source
from detector.errors import RecordingError
from detector.values import Detections, Frame, LabelMap
from tests.app.feeding import Feeding
from tests.app.rtsp import load_server
from tests.app.videos import eventually, numbered_picture, read_number, write_video
from tests.app.watching import LABELS, SquareFinder, Watching

FINDER = Finder(labels=LABELS)


def ended(view: View) -> bool:
    return view.status.state is State.ENDED


def finished(view: View) -> bool:
    return view.recording is not None and not view.recording.running


def read_back(path: Path) -> list[tuple[float, np.ndarray]]:
    """(seconds, pixels) of a recording."""
    with av.open(str(path)) as container:
        return [(frame.time, frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0)]


def test_every_frame_of_a_file_is_recorded_with_its_boxes(tmp_path: Path):
    write_video(tmp_path / "clip.mp4", 30)
    with Watching(open_source(str(tmp_path / "clip.mp4")), open_engine=SquareFinder) as watching:
        watching.pipeline.set_paused(True)
        watching.pipeline.seek(0.0)
        watching.until(lambda view: view.own_boxes)
        watching.pipeline.start_recording(tmp_path / "out.mp4")
        watching.pipeline.set_paused(False)
        watching.until(ended)
        watching.pipeline.stop_recording()
        view = watching.until(finished)
    assert view.recording and view.recording.failure == "" and view.figures.unrecorded == 0
    (result,) = view.recording.files
    frames = read_back(tmp_path / "out.mp4")
    assert len(frames) == result.frames == view.recording.frames
    numbers = [read_number(pixels) for _, pixels in frames]
    assert numbers == list(range(numbers[0], 30))
    steps = [later - earlier for (earlier, _), (later, _) in pairwise(frames)]
    assert steps == pytest.approx([0.04] * len(steps), abs=0.001)
    source = numbered_picture(29)
    assert np.abs(frames[-1][1][40:].astype(int) - source[40:]).max() > 100  # a box is drawn there


def test_a_change_of_size_begins_another_file(shared: Path, tmp_path: Path):
    (tmp_path / "out-2.mp4").write_bytes(b"of somebody else")
    with Watching(open_source(str(shared / "video/broken/size-change.avi"))) as watching:
        watching.pipeline.start_recording(tmp_path / "out.mp4")
        watching.until(ended)
        watching.pipeline.stop_recording()
        view = watching.until(finished)
    assert view.recording
    assert [file.path.name for file in view.recording.files] == ["out.mp4", "out-3.mp4"]
    sizes = [{pixels.shape for _, pixels in read_back(file.path)} for file in view.recording.files]
    assert sizes == [{(120, 160, 3)}, {(240, 320, 3)}]
    assert (tmp_path / "out-2.mp4").read_bytes() == b"of somebody else"


def test_closing_while_recording_leaves_a_finished_file(tmp_path: Path):
    write_video(tmp_path / "clip.mp4", 100)
    with Watching(open_source(str(tmp_path / "clip.mp4")), open_engine=SquareFinder) as watching:
        watching.pipeline.start_recording(tmp_path / "out.mp4")
        watching.until(lambda view: view.recording and view.recording.frames > 5)
    assert len(read_back(tmp_path / "out.mp4")) > 5
    assert sorted(path.name for path in tmp_path.glob("out*")) == ["out.mp4"]


def test_a_recording_shows_what_was_watched_without_gaps_when_it_was_sought_in(tmp_path: Path):
    write_video(tmp_path / "clip.mp4", 250)
    with Watching(open_source(str(tmp_path / "clip.mp4"))) as watching:
        watching.pipeline.start_recording(tmp_path / "out.mp4")
        watching.until(lambda view: view.recording and view.recording.frames > 3)
        for seconds in (8.0, 2.0):
            watching.pipeline.seek(seconds)
            frames = watching.pipeline.latest().recording.frames  # type: ignore[union-attr]
            watching.until(lambda view, frames=frames: view.recording.frames > frames + 4)
        watching.pipeline.stop_recording()
        watching.until(finished)
    frames = read_back(tmp_path / "out.mp4")
    numbers = [read_number(pixels) for _, pixels in frames]
    assert 200 in numbers and numbers.index(50) > numbers.index(200)
    steps = [later - earlier for (earlier, _), (later, _) in pairwise(frames)]
    assert steps == pytest.approx([0.04] * len(steps), abs=0.001)


def test_a_recording_of_a_stream_keeps_the_time_of_an_interruption(shared: Path, tmp_path: Path):
    rtsp: ModuleType = load_server(shared)
    write_video(tmp_path / "clip.mp4", 100)
    with (
        rtsp.RtspServer(tmp_path / "clip.mp4", drop_after=0.5) as server,
        Watching(open_source(server.url)) as watching,
    ):
        watching.until(lambda view: view.frame)
        watching.pipeline.start_recording(tmp_path / "out.mp4")
        watching.until(lambda view: view.status.state is State.RECONNECTING)
        before = watching.pipeline.latest().frame.sequence  # type: ignore[union-attr]
        watching.until(lambda view: view.frame.sequence > before + 3)
        watching.pipeline.stop_recording()
        view = watching.until(finished)
    assert view.figures.unrecorded == 0
    times = [seconds for seconds, _ in read_back(tmp_path / "out.mp4")]
    assert max(later - earlier for earlier, later in pairwise(times)) > 0.5


def test_a_second_recording_at_once_is_refused(tmp_path: Path):
    write_video(tmp_path / "clip.mp4", 100)
    with Watching(open_source(str(tmp_path / "clip.mp4"))) as watching:
        watching.pipeline.start_recording(tmp_path / "out.mp4")
        with pytest.raises(RecordingError, match="is being recorded"):
            watching.pipeline.start_recording(tmp_path / "other.mp4")
        watching.until(lambda view: view.recording and view.recording.frames)
        watching.pipeline.stop_recording()
        watching.until(finished)
        with pytest.raises(RecordingError, match="exists"):
            watching.pipeline.start_recording(tmp_path / "out.mp4")


def test_a_recording_that_fails_is_a_sentence_and_the_video_goes_on(tmp_path: Path):
    write_video(tmp_path / "clip.mp4", 30)
    folder = tmp_path / "gone"
    folder.mkdir()
    with Watching(open_source(str(tmp_path / "clip.mp4"))) as watching:
        watching.pipeline.set_paused(True)
        watching.pipeline.seek(0.0)
        watching.until(lambda view: view.frame)
        watching.pipeline.start_recording(folder / "out.mp4")
        folder.rmdir()
        watching.pipeline.set_paused(False)
        view = watching.until(finished)
        assert view.recording and "gone" in view.recording.failure and view.recording.files == ()
        watching.until(ended)


def offered(path: Path, count: int, *, live: bool) -> tuple[LiveRecording, Measure]:
    """A finished recording of so many frames that cost their time to encode, offered all at once."""
    source, measure = Source("source"), Measure()
    source.live, source.rate = live, 25.0
    recording = LiveRecording(
        names_after(path),
        path.parent,
        RecordingPlan(),
        source=source,
        copies=True,
        patient=not live,
        measure=measure,
        news=News(None),
    )
    random = np.random.default_rng(0)
    noise = [random.integers(0, 255, (480, 640, 3), np.uint8) for _ in range(20)]
    for number in range(count):
        frame = Frame(noise[number % 20], number, number / 25)
        entry = Entry(frame, number + 1, 0, seen=frame)
        recording.offer(entry, Detections.empty(), Detections.empty(), FINDER)
    recording.finish()
    assert recording.join(30)
    return recording, measure


def test_frames_that_come_faster_than_they_can_be_written_are_dropped_and_counted_when_live(tmp_path: Path):
    recording, measure = offered(tmp_path / "out.mp4", 200, live=True)
    state = recording.state
    assert 50 <= state.frames < 200 and state.failure == ""
    assert state.frames + measure.figures(0.0).unrecorded == 200
    assert len(read_back(tmp_path / "out.mp4")) == state.frames


def test_a_file_waits_for_its_recorder(tmp_path: Path):
    recording, measure = offered(tmp_path / "out.mp4", 100, live=False)
    assert recording.state.frames == 100 and measure.figures(0.0).unrecorded == 0


def test_a_model_that_takes_over_brings_its_own_names(tmp_path: Path):
    write_video(tmp_path / "clip.mp4", 60)
    few, many = Finder(labels=LabelMap(("square",))), FINDER

    class FirstClassOnly(SquareFinder):
        def _look(self, frame: Frame, nms_iou: float) -> Detections:
            return super()._look(frame, nms_iou)[:1]

    with Watching(
        open_source(str(tmp_path / "clip.mp4")),
        open_engine=FirstClassOnly,
        choice=Choice(min_score=0.1),
        finder=few,
    ) as watching:
        watching.pipeline.start_recording(tmp_path / "out.mp4")
        watching.until(lambda view: view.recording.frames > 3 and len(view.detections))
        watching.pipeline.use_engine(SquareFinder, finder=many)
        watching.until(lambda view: 1 in view.detections.class_ids)
        watching.pipeline.set_speed(16)
        watching.until(ended)
        watching.pipeline.stop_recording()
        view = watching.until(finished)
    assert view.recording and view.recording.failure == ""


def test_the_chosen_boxes_are_the_ones_recorded(tmp_path: Path):
    write_video(tmp_path / "clip.mp4", 30)
    choice = Choice(class_ids=frozenset())
    with Watching(
        open_source(str(tmp_path / "clip.mp4")), open_engine=SquareFinder, choice=choice
    ) as watching:
        watching.pipeline.start_recording(tmp_path / "out.mp4")
        watching.pipeline.set_speed(16)
        watching.until(ended)
        watching.pipeline.stop_recording()
        watching.until(finished)
    _, pixels = read_back(tmp_path / "out.mp4")[-1]
    assert np.abs(pixels[40:].astype(int) - numbered_picture(29)[40:]).max() < 100  # nothing is drawn
    assert eventually(lambda: not list(tmp_path.glob("*.part.mkv")))


def test_pictures_that_come_and_begin_no_clip_are_told_unless_an_event_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Reel, "take", lambda self, packet: None)
    waits = RecordingPlan(cutting=Cutting(on_events=True))
    with (
        Feeding(tmp_path / "waiting.mp4", waits) as waiting,
        Feeding(tmp_path / "out.mp4") as feeding,
    ):
        assert feeding.state.warning == ""
        feeding.until(lambda state: "Pictures of porch come, but none could be recorded" in state.warning, 10)
        assert waiting.state.waiting and waiting.state.warning == ""


def test_times_that_go_back_now_and_then_do_not_lengthen_a_recording_of_a_file() -> None:
    source = Source("clip")
    source.rate = 25.0
    clock, given = Clock(source), [7.0, 7.02, 7.5, 7.5, 7.3, 9.0, 1.0, 1.2]
    seconds = [clock.seconds(pts, cut=False) for pts in given]
    assert seconds == pytest.approx([0, 0.02, 0.5, 0.5, 0.5, 2.0, 2.04, 2.24])
