"""Watching: three rates, none waiting for another, and everything a person does acts at once."""

import threading
from pathlib import Path
from types import ModuleType

import cv2
import pytest

from app.pipeline import Choice, DetectorState, DetectorStatus, LivePipeline, View
from app.sources import State, open_source
from detector.errors import ModelError
from tests.app.videos import eventually, numbered_picture, read_number
from tests.app.watching import Permits, SquareFinder, Watching, number, seen


def ended(view: View) -> bool:
    return view.status.state is State.ENDED


def stand_still(watching: Watching, wanted: int) -> int:
    """Pauses at the frame of this number; returns its sequence."""
    watching.pipeline.set_paused(True)
    watching.pipeline.seek(wanted / 25)
    frame = watching.until(lambda view: number(view) == wanted).frame
    assert frame
    return frame.sequence


def test_a_file_plays_at_its_own_pace_from_the_first_frame_to_the_last(clip: Path):
    views: list[View] = []
    with Watching(open_source(str(clip))) as watching:
        watching.until(lambda view: views.append(view) or ended(view))
    frames = {view.frame.sequence: view.frame for view in views if view.frame}
    first, last = frames[min(frames)], frames[max(frames)]
    assert read_number(last.pixels) == 49
    # never ahead of its time; how far behind is this computer's affair
    assert last.captured_at - first.captured_at >= last.pts - first.pts - 0.01


def test_speed_shortens_the_waits(clip: Path):
    with Watching(open_source(str(clip))) as watching:
        watching.pipeline.set_speed(16)
        first = watching.until(lambda view: view.frame).frame
        last = watching.until(ended).frame
    assert first and last
    assert 2.0 / 16 - 0.03 <= last.captured_at - first.captured_at < 1.5


def test_a_detector_that_never_answers_does_not_hold_up_the_picture(clip: Path):
    gate = threading.Event()
    engine = SquareFinder(gate)
    with Watching(open_source(str(clip)), open_engine=lambda: engine) as watching:
        watching.until(lambda view: engine.asked)
        watching.pipeline.set_speed(16)
        view = watching.until(ended)
        assert number(view) == 49 and len(engine.asked) == 1
        gate.set()
        view = watching.until(lambda view: view.own_boxes)
    assert number(view) == 49
    # of fifty frames it saw the first it could have, and then the newest
    assert [sequence for sequence, _ in engine.asked][1:] == [49]
    assert view.figures.undetected == 49 - engine.asked[0][0] - 1
    assert engine.closed


def test_boxes_are_those_of_the_frame(clip: Path):
    with Watching(open_source(str(clip)), open_engine=SquareFinder) as watching:
        watching.pipeline.set_speed(16)
        view = watching.until(lambda view: ended(view) and view.own_boxes)
    assert view.frame and view.detections.boxes[0].tolist() == pytest.approx([20, 48, 36, 64], abs=1)
    assert view.detector == DetectorStatus(DetectorState.RUNNING, device="test bench")


def test_every_filter_acts_at_once_while_paused_and_asks_nothing(clip: Path):
    engine = SquareFinder()
    choice = Choice(min_score=0.1, nms_iou=0.9)
    with Watching(open_source(str(clip)), open_engine=lambda: engine, choice=choice) as watching:
        pipeline = watching.pipeline
        stand_still(watching, 7)
        assert watching.until(lambda view: view.own_boxes).detections.class_ids.tolist() == [0, 0, 1]
        asked = len(engine.asked)
        for changed, class_ids in [
            (Choice(min_score=0.5, nms_iou=0.9), [0, 0]),
            (Choice(min_score=0.7, nms_iou=0.9), [0]),
            (Choice(min_score=0.1, nms_iou=0.9, class_ids=frozenset({1})), [1]),
            (Choice(min_score=0.1, nms_iou=0.9, max_detections=2), [0, 0]),
            (Choice(min_score=0.1, nms_iou=0.9, max_detections=1, class_ids=frozenset({1})), [1]),
        ]:
            pipeline.choose(changed)
            assert pipeline.latest().detections.class_ids.tolist() == class_ids
        assert len(engine.asked) == asked


def test_another_overlap_is_asked_of_the_engine_on_the_frame_in_view_while_paused(clip: Path):
    engine = SquareFinder()
    choice = Choice(min_score=0.5, nms_iou=0.9)
    with Watching(open_source(str(clip)), open_engine=lambda: engine, choice=choice) as watching:
        sequence = stand_still(watching, 7)
        watching.until(lambda view: len(view.detections) == 2)
        watching.pipeline.choose(Choice(min_score=0.5, nms_iou=0.3))
        watching.until(lambda view: len(view.detections) == 1)
        watching.pipeline.choose(Choice(min_score=0.5, nms_iou=0.9))
        assert number(watching.until(lambda view: len(view.detections) == 2)) == 7
    assert engine.asked[-3:] == [(sequence, 0.9), (sequence, 0.3), (sequence, 0.9)]


def test_steps_go_one_frame_forward_and_back(clip: Path):
    with Watching(open_source(str(clip))) as watching:
        pipeline = watching.pipeline
        stand_still(watching, 25)
        for step, expected in [(1, 26), (1, 27), (-1, 26), (-1, 25), (-1, 24), (-1, 23), (1, 24)]:
            pipeline.step(step)
            watching.until(lambda view, expected=expected: number(view) == expected)
        for _ in range(3):  # faster than they can be made
            pipeline.step(-1)
        watching.until(lambda view: number(view) == 21)
        assert watching.pipeline.latest().paused


def test_a_seek_is_shown_at_once_while_paused_and_the_last_of_many_counts(clip: Path):
    with Watching(open_source(str(clip))) as watching:
        pipeline = watching.pipeline
        pipeline.set_paused(True)
        for seconds in (1.9, 0.1, 0.7, 1.2, 0.4, 1.6):
            pipeline.seek(seconds)
        watching.until(lambda view: number(view) == 40)
        assert not ended(pipeline.latest())


def test_a_pause_right_after_a_seek_still_shows_where_it_went(clip: Path):
    with Watching(open_source(str(clip))) as watching:
        for wanted in (40, 10, 30, 20):
            watching.pipeline.seek(wanted / 25)
            watching.pipeline.set_paused(True)
            watching.until(lambda view, wanted=wanted: number(view) == wanted)


def test_a_file_that_has_ended_can_be_sought_and_stepped_back_in(clip: Path):
    with Watching(open_source(str(clip))) as watching:
        watching.pipeline.set_speed(16)
        watching.until(ended)
        watching.pipeline.step(-1)
        watching.until(lambda view: number(view) == 48)
        watching.pipeline.seek(0.0)
        watching.until(lambda view: number(view) == 0)
        watching.pipeline.set_paused(False)
        watching.until(lambda view: ended(view) and number(view) == 49)


def test_boxes_from_before_a_seek_are_not_shown_after_it(clip: Path):
    permits = Permits()
    with Watching(open_source(str(clip)), open_engine=lambda: SquareFinder(permits)) as watching:
        stand_still(watching, 5)
        permits.release(100)
        watching.until(lambda view: view.own_boxes)
        while permits.acquire(blocking=False):
            pass
        stand_still(watching, 40)
        assert not len(watching.pipeline.latest().detections)
        permits.release(100)
        watching.until(lambda view: view.own_boxes)


def test_boxes_stay_until_there_are_newer_ones(clip: Path):
    permits = Permits()
    with Watching(open_source(str(clip)), open_engine=lambda: SquareFinder(permits)) as watching:
        permits.release()
        watching.until(lambda view: len(view.detections))
        watching.pipeline.set_speed(16)
        view = watching.until(ended)
        assert len(view.detections) and not view.own_boxes
        permits.release(100)


def test_boxes_of_a_slow_detector_stay_on_what_moves(clip: Path):
    permits = Permits()
    with Watching(open_source(str(clip)), open_engine=lambda: SquareFinder(permits)) as watching:
        stand_still(watching, 5)
        permits.release()
        still = watching.until(lambda view: view.own_boxes)
        watching.pipeline.step(6)
        view = watching.until(lambda view: number(view) == 11)
        permits.release(100)
    assert not view.own_boxes
    moved = view.detections.boxes[0] - still.detections.boxes[0]
    assert moved == pytest.approx([24, 0, 24, 0], abs=4)  # 4 pixels a frame


def test_a_picture_never_wears_the_boxes_of_another(tmp_path: Path):
    for index in range(2):
        picture = cv2.imencode(".png", numbered_picture(index))[1].tobytes()
        (tmp_path / f"{index}.png").write_bytes(picture)
    permits = Permits()
    with Watching(open_source(str(tmp_path)), open_engine=lambda: SquareFinder(permits)) as watching:
        permits.release()
        watching.until(lambda view: view.own_boxes and view.frame.source == "0.png")
        watching.until(lambda view: view.frame.source == "1.png")
        assert not len(watching.pipeline.latest().detections)
        permits.release(100)
        watching.until(lambda view: view.own_boxes and view.frame.source == "1.png")


def test_a_class_filter_is_applied_before_the_number_of_boxes_is_limited(clip: Path):
    choice = Choice(min_score=0.1, max_detections=1, class_ids=frozenset({1}))
    with Watching(open_source(str(clip)), open_engine=SquareFinder, choice=choice) as watching:
        assert watching.until(lambda view: view.own_boxes).detections.class_ids.tolist() == [1]


def test_a_model_that_cannot_be_used_is_a_sentence_and_the_video_goes_on(clip: Path):
    def fail() -> SquareFinder:
        raise ModelError("coco: its weights are damaged; import it again.")

    with Watching(open_source(str(clip)), open_engine=fail) as watching:
        watching.pipeline.set_speed(16)
        view = watching.until(ended)
        words = "The model cannot be used: coco: its weights are damaged; import it again."
        assert view.detector == DetectorStatus(DetectorState.FAILED, words)
        watching.pipeline.use_engine(SquareFinder)
        assert watching.until(lambda view: view.own_boxes).detector.state is DetectorState.RUNNING


def test_a_detector_that_breaks_is_a_sentence_and_the_log_knows_more(
    clip: Path, caplog: pytest.LogCaptureFixture
):
    class Broken(SquareFinder):
        def detect(self, *_: object, **__: object) -> list:  # type: ignore[override, type-arg]
            raise RuntimeError("rtsp://cam:hunter2@h/x")

    engine = Broken()
    with Watching(open_source(str(clip)), open_engine=lambda: engine) as watching:
        watching.pipeline.set_speed(16)
        view = watching.until(lambda view: ended(view) and view.detector.state is DetectorState.FAILED)
    assert view.detector.sentence == "Detection has stopped: RuntimeError; the log says more"
    assert "Traceback" in caplog.text
    assert engine.closed and view.detector.device == ""


def test_another_model_takes_over_and_the_first_is_closed(clip: Path):
    first, second = SquareFinder(), SquareFinder()
    second.device = "another"
    with Watching(open_source(str(clip)), open_engine=lambda: first) as watching:
        watching.until(lambda view: len(view.detections))
        watching.pipeline.use_engine(lambda: second)
        watching.until(lambda view: view.detector.device == "another" and view.own_boxes)
    assert first.closed and second.closed


def test_boxes_of_a_model_are_never_seen_once_another_was_asked_for(clip: Path):
    """Their class ids would be read as the other model's."""
    gate, never = threading.Event(), threading.Event()
    slow = SquareFinder(gate)

    def never_ready() -> SquareFinder:
        assert never.wait(20)
        return SquareFinder()

    gate.set()
    with Watching(open_source(str(clip)), open_engine=lambda: slow) as watching:
        watching.until(lambda view: len(view.detections))
        gate.clear()
        asked = len(slow.asked)
        watching.until(lambda view: len(slow.asked) > asked)
        watching.pipeline.use_engine(never_ready)
        assert not len(watching.pipeline.latest().detections)
        gate.set()  # the first model answers now
        assert eventually(lambda: slow.closed)
        assert not len(watching.pipeline.latest().detections)
        never.set()
        watching.until(lambda view: len(view.detections))


def test_a_recording_begun_before_the_source_is_open_has_its_rate_and_every_frame(clip: Path, tmp_path: Path):
    watching = Watching(open_source(str(clip)))
    watching.pipeline.set_speed(16)
    watching.pipeline.start_recording(tmp_path / "out.mp4")
    with watching:
        watching.until(ended)
        watching.pipeline.stop_recording()
        view = watching.until(lambda view: view.recording and not view.recording.running)
    (result,) = view.recording.files
    assert (result.frames, result.seconds) == (50, pytest.approx(2.0))


def test_news_are_told_once_until_somebody_looks(clip: Path):
    told = []
    pipeline = LivePipeline(open_source(str(clip)), on_change=lambda: told.append(1))
    pipeline.set_speed(16)
    pipeline.start()
    assert eventually(lambda: pipeline._status.state is State.ENDED)
    assert len(told) == 1
    pipeline.latest()
    pipeline.set_paused(True)
    assert len(told) == 2
    assert pipeline.close()


def test_a_file_that_cannot_be_read_is_a_state(tmp_path: Path):
    (tmp_path / "text.mp4").write_text("no video")
    with Watching(open_source(str(tmp_path / "text.mp4")), open_engine=SquareFinder) as watching:
        view = watching.until(lambda view: seen(view, "FAILED"))
    assert "text.mp4" in view.status.sentence and view.frame is None


def _threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_closing_leaves_no_thread_whatever_happens_just_then(clip: Path, rtsp: ModuleType):
    before = _threads()
    with Watching(open_source(str(clip))):
        pass  # just begun
    with Watching(open_source(str(clip)), open_engine=SquareFinder) as watching:
        watching.until(lambda view: len(view.detections))  # playing
    with Watching(open_source(str(clip))) as watching:
        watching.pipeline.set_paused(True)  # paused
    with Watching(open_source(str(clip))) as watching:
        watching.pipeline.set_speed(16)
        watching.until(ended)
    with Watching(open_source("rtsp://127.0.0.1:1/live")) as watching:
        watching.until(lambda view: seen(view, "RECONNECTING"))
    assert _threads() == before
    with rtsp.RtspServer(clip, silent=True) as server:
        with Watching(open_source(server.url)):
            assert eventually(lambda: server.accepted == 1)  # connecting
        names = {name for name in _threads() if name.startswith(("capture", "detect"))}
    assert not names
    with rtsp.RtspServer(clip, stall_after=0.3) as server, Watching(open_source(server.url)) as watching:
        watching.until(lambda view: seen(view, "STALLED"))  # in the middle of a read
    LivePipeline(open_source(str(clip))).close()  # never begun


def test_a_slow_loading_model_does_not_hold_up_the_window_or_the_closing(clip: Path):
    loaded = threading.Event()

    def load() -> SquareFinder:
        loaded.wait(20)
        return SquareFinder()

    pipeline = LivePipeline(open_source(str(clip)), open_engine=load)
    pipeline.start()
    assert eventually(lambda: pipeline.latest().frame is not None)
    assert pipeline.latest().detector == DetectorStatus(DetectorState.LOADING, "Loading the model")
    assert not pipeline.close(0.2)  # said, so that the program can end all the same
    loaded.set()
    assert eventually(lambda: not any("clip.mp4" in name for name in _threads()))
