"""Recordings and snapshots made in the window."""

import av
import cv2
import pytest
from PyQt5.QtCore import Qt

from app.sources import State
from tests.app.videos import read_number
from tests.widgets.person import Person


@pytest.fixture
def watching(qtbot, open_window, clip) -> Person:
    person = Person(qtbot, open_window())
    person.window.open_source(str(clip))
    person.sees(lambda view: len(view.detections))
    return person


def marks(person: Person) -> list[str]:
    return [mark.words.split()[0] for mark in person.window.page.view.scene.marks]


def test_a_recording_is_shown_while_it_runs_and_named_when_it_is_finished(watching, studio_home):
    watching.presses(Qt.Key_R)
    watching.bot.waitUntil(lambda: "REC" in marks(watching))
    assert watching.window.actions_by_name["toggle_recording"].isChecked()
    watching.sees(lambda view: view.recording.frames > 10)
    watching.presses(Qt.Key_R)
    watching.bot.waitUntil(lambda: "Recorded" in watching.window.banner.words)
    assert "REC" not in marks(watching)
    (file,) = (studio_home / "recordings").iterdir()
    assert file.name in watching.window.banner.words and file.name.startswith("clip_")
    with av.open(str(file)) as video:
        assert sum(1 for _ in video.decode(video=0)) > 10


def test_closing_finishes_the_recording(watching, studio_home):
    watching.presses(Qt.Key_R)
    watching.sees(lambda view: view.recording and view.recording.frames > 5)
    watching.window.close()
    watching.bot.waitUntil(watching.window.isHidden, timeout=4000)
    (file,) = (studio_home / "recordings").iterdir()
    assert file.suffix == ".mp4"
    with av.open(str(file)) as video:
        assert sum(1 for _ in video.decode(video=0)) > 5


def test_going_back_finishes_the_recording_and_says_so(watching):
    watching.presses(Qt.Key_R)
    watching.sees(lambda view: view.recording and view.recording.frames > 5)
    watching.window.close_source()
    watching.bot.waitUntil(lambda: "Recorded clip_" in watching.window.banner.words)
    assert not watching.window.actions_by_name["toggle_recording"].isChecked()


def test_a_recording_from_the_first_frame_holds_all_of_them(qtbot, open_window, clip, tmp_path):
    person = Person(qtbot, open_window())
    person.window.open_source(str(clip), record=tmp_path / "out.mp4")
    person.window.page.playback.set_speed(16)
    person.sees(lambda view: view.status.state is State.ENDED)
    person.window.close_source()
    person.bot.waitUntil((tmp_path / "out.mp4").exists)
    with av.open(str(tmp_path / "out.mp4")) as video:
        pictures = [picture.to_ndarray(format="bgr24") for picture in video.decode(video=0)]
    assert [read_number(picture) for picture in pictures[:5]] == [0, 1, 2, 3, 4]
    assert len(pictures) == 100


def test_the_end_of_one_source_does_not_stop_the_recording_of_the_next(watching, clip, tmp_path):
    watching.window.open_source(str(clip), record=tmp_path / "next.mp4")
    watching.bot.waitUntil(lambda: not watching.window.caught)
    watching.sees(lambda view: view.recording and view.recording.running and view.recording.frames > 5)


def test_a_recording_replaces_a_file_only_when_told_to(qtbot, open_window, clip, tmp_path):
    target = tmp_path / "out.mp4"
    target.write_bytes(b"precious")
    person = Person(qtbot, open_window())
    person.window.open_source(str(clip), record=target)
    assert "exists" in person.window.banner.words
    person.window.open_source(str(clip), record=target, force=True)
    person.sees(lambda view: view.recording and view.recording.frames > 5)
    assert target.read_bytes() == b"precious"  # until the new one is whole
    person.window.close_source()
    qtbot.waitUntil(lambda: target.read_bytes()[4:8] == b"ftyp")


def test_a_recording_that_cannot_be_written_is_a_sentence(watching, tmp_path):
    (tmp_path / "file").touch()
    watching.window.keeping.folder = str(tmp_path / "file")
    watching.presses(Qt.Key_R)
    assert str(tmp_path / "file") in watching.window.banner.words
    watching.bot.waitUntil(lambda: not watching.window.actions_by_name["toggle_recording"].isChecked())


def test_a_snapshot_is_the_picture_with_its_boxes(watching, studio_home):
    watching.presses(Qt.Key_Space)
    view = watching.sees(lambda view: view.paused and view.own_boxes)
    watching.presses(Qt.Key_S)
    (file,) = (studio_home / "recordings").iterdir()
    assert f"Saved {file.name}" in watching.window.banner.words
    picture = cv2.imread(str(file))
    assert picture.shape == view.frame.pixels.shape
    assert abs(picture.astype(int) - view.frame.pixels).max() > 60  # the box
