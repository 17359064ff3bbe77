"""Recordings and snapshots made in the window."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import av
import cv2
import pytest
from PyQt5.QtCore import Qt

from app import keeping as app_keeping
from app.recording.clip import check_target
from app.recording.quota import is_starred
from app.sources import State
from tests.app.feeding import disk_image, frozen
from tests.app.videos import read_number
from tests.widgets.person import Person
from widgets import errand, keeping, source_keeping
from widgets.recording_dialog import RecordingDialog


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
    person.bot.waitUntil(lambda: "exists" in person.window.banner.words)
    person.sees(lambda view: len(view.detections))  # it is watched all the same
    person.window.open_source(str(clip), record=target, force=True)
    person.sees(lambda view: view.recording and view.recording.frames > 5)
    assert target.read_bytes() == b"precious"  # until the new one is whole
    person.window.close_source()
    qtbot.waitUntil(lambda: target.read_bytes()[4:8] == b"ftyp")


def test_a_recording_that_cannot_be_written_is_a_sentence(watching, tmp_path):
    (tmp_path / "file").touch()
    watching.window.keeping.folder = str(tmp_path / "file")
    watching.presses(Qt.Key_R)
    watching.bot.waitUntil(lambda: str(tmp_path / "file") in watching.window.banner.words)
    watching.bot.waitUntil(lambda: not watching.window.actions_by_name["toggle_recording"].isChecked())


def test_a_snapshot_is_the_picture_with_its_boxes(watching, studio_home):
    watching.presses(Qt.Key_Space)
    view = watching.sees(lambda view: view.paused and view.own_boxes)
    watching.presses(Qt.Key_S)
    watching.bot.waitUntil(lambda: "Saved" in watching.window.banner.words)
    (file,) = (studio_home / "recordings").iterdir()
    assert f"Saved {file.name}" in watching.window.banner.words
    picture = cv2.imread(str(file))
    assert picture.shape == view.frame.pixels.shape
    assert abs(picture.astype(int) - view.frame.pixels).max() > 60  # the box


@pytest.fixture
def silent_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A disk for new files that answers once the event is set, or after 20 seconds."""
    answers = threading.Event()

    def waiting(act: Callable[..., object]) -> Callable[..., object]:
        return lambda *arguments, **options: answers.wait(20) and act(*arguments, **options)

    monkeypatch.setattr(source_keeping, "new_path", waiting(app_keeping.new_path))
    monkeypatch.setattr(source_keeping, "check_target", waiting(check_target))
    monkeypatch.setattr(errand, "_SLOW_MS", 50)
    yield answers
    answers.set()


@contextmanager
def nothing_held_up(person: Person) -> Iterator[None]:
    """Pressing keys returns at once, and pictures go on."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 5
    number = person.view.frame.sequence
    person.sees(lambda view: view.frame.sequence != number)


def test_a_snapshot_on_a_disk_that_does_not_answer_holds_up_nothing_and_is_saved_once(
    silent_disk, qtbot, open_window, clip, studio_home
):
    person = Person(qtbot, open_window())
    person.window.open_source(str(clip))
    person.sees(lambda view: len(view.detections))
    with nothing_held_up(person):
        person.presses(Qt.Key_S)
        person.presses(Qt.Key_S)  # the first is under way
    person.bot.waitUntil(lambda: "does not answer; the snapshot is saved" in person.window.banner.words)
    assert not list((studio_home / "recordings").glob("*"))
    silent_disk.set()
    person.bot.waitUntil(lambda: "Saved clip_" in person.window.banner.words)
    assert len(list((studio_home / "recordings").iterdir())) == 1
    person.presses(Qt.Key_S)
    person.bot.waitUntil(lambda: len(list((studio_home / "recordings").glob("*.jpg"))) == 2)


def test_a_recording_on_a_disk_that_does_not_answer_holds_up_nothing_and_begins_later(
    silent_disk, qtbot, open_window, clip
):
    person = Person(qtbot, open_window())
    person.window.open_source(str(clip))
    person.sees(lambda view: len(view.detections))
    with nothing_held_up(person):
        person.presses(Qt.Key_R)
    assert person.window.actions_by_name["toggle_recording"].isChecked() and person.view.recording is None
    person.bot.waitUntil(lambda: "does not answer; the recording begins" in person.window.banner.words)
    silent_disk.set()
    person.sees(lambda view: view.recording and view.recording.frames > 5)
    person.presses(Qt.Key_R)
    person.bot.waitUntil(lambda: "Recorded" in person.window.banner.words)


def test_a_recording_that_is_wanted_no_more_once_the_disk_answers_does_not_begin(
    silent_disk, qtbot, open_window, clip
):
    person = Person(qtbot, open_window())
    person.window.open_source(str(clip))
    person.sees(lambda view: len(view.detections))
    person.presses(Qt.Key_R)
    person.presses(Qt.Key_R)
    silent_disk.set()
    (kept,) = person.window.keeping._sources.values()
    person.bot.waitUntil(lambda: not kept.preparing._under_way)
    assert person.view.recording is None
    assert not person.window.actions_by_name["toggle_recording"].isChecked()


def test_a_recording_wanted_of_the_source_before_begins_only_where_it_was_wanted(
    silent_disk, qtbot, open_window, clip
):
    person = Person(qtbot, open_window())
    person.window.open_source(str(clip))
    person.sees(lambda view: len(view.detections))
    person.presses(Qt.Key_R)
    person.window.open_source(str(clip))
    person.sees(lambda view: len(view.detections))
    assert not person.window.actions_by_name["toggle_recording"].isChecked()
    person.presses(Qt.Key_R)
    silent_disk.set()
    person.sees(lambda view: view.recording and view.recording.running and view.recording.frames > 5)


def test_a_recording_from_the_start_on_a_disk_that_does_not_answer_holds_up_nothing_and_begins_later(
    silent_disk, qtbot, open_window, clip, tmp_path
):
    person = Person(qtbot, open_window())
    began = time.monotonic()
    person.window.open_source(str(clip), record=tmp_path / "out.mp4")
    assert time.monotonic() - began < 5
    person.sees(lambda view: len(view.detections))
    assert person.view.recording is None
    silent_disk.set()
    person.sees(lambda view: view.recording and view.recording.frames > 5)


def test_a_recording_from_the_start_misses_no_frame_while_the_disk_takes_a_moment(
    silent_disk, qtbot, open_window, clip, tmp_path, monkeypatch
):
    monkeypatch.setattr(errand, "_SLOW_MS", 60_000)
    person = Person(qtbot, open_window())
    person.window.open_source(str(clip), record=tmp_path / "out.mp4")
    threading.Timer(1.0, silent_disk.set).start()
    person.sees(lambda view: view.recording and view.recording.frames > 5)
    person.window.close_source()
    person.bot.waitUntil((tmp_path / "out.mp4").exists)
    with av.open(str(tmp_path / "out.mp4")) as video:
        assert read_number(next(video.decode(video=0)).to_ndarray(format="bgr24")) == 0


def test_another_source_is_shown_while_the_disk_of_the_first_does_not_answer(
    silent_disk, qtbot, open_window, clip, tmp_path, monkeypatch
):
    monkeypatch.setattr(errand, "_SLOW_MS", 60_000)
    person = Person(qtbot, open_window())
    person.window.open_source(str(clip), record=tmp_path / "first.mp4")
    first = person.window.page.watched()[0]
    person.window.open_source(str(clip), record=tmp_path / "second.mp4")
    silent_disk.set()
    person.sees(lambda view: view.recording and view.recording.frames > 5)
    assert first.latest().recording is None and first.latest().frame is None


def test_closing_waits_for_a_snapshot_that_is_being_saved(silent_disk, watching, studio_home):
    watching.presses(Qt.Key_S)
    watching.window.close()
    threading.Timer(1.0, silent_disk.set).start()
    watching.bot.waitUntil(watching.window.isHidden, timeout=4000)
    (file,) = (studio_home / "recordings").iterdir()
    assert file.suffix == ".jpg" and cv2.imread(str(file)) is not None


def test_closing_does_not_wait_for_ever_for_a_snapshot(silent_disk, watching):
    watching.presses(Qt.Key_S)
    watching.window.close()
    watching.bot.waitUntil(watching.window.isHidden, timeout=4000)
    assert watching.window.caught == ["what is saved of clip.mp4"]
    silent_disk.set()
    watching.bot.waitUntil(lambda: not watching.window.caught)


def test_closing_waits_for_a_star(watching, tmp_path, monkeypatch):
    answers = threading.Event()
    clip = tmp_path / "porch.mp4"
    clip.touch()
    monkeypatch.setattr(keeping, "is_starred", lambda path: answers.wait(20) and is_starred(path))
    watching.window.keeping.playing = clip
    watching.window.actions_by_name["toggle_star"].trigger()
    watching.window.close()
    threading.Timer(1.0, answers.set).start()
    watching.bot.waitUntil(watching.window.isHidden, timeout=4000)
    assert is_starred(clip)


def test_a_frozen_disk_does_not_freeze_the_window(watching, tmp_path):
    with disk_image(tmp_path / "image", tmp_path / "disk") as disk:
        watching.window.keeping.folder = str(disk)
        clip = disk / "porch.mp4"
        clip.touch()
        thaw = threading.Timer(20, subprocess.run, [["fsfreeze", "--unfreeze", str(disk)]])
        thaw.start()  # a window that waits for the disk would never come to it
        with frozen(disk), nothing_held_up(watching):
            watching.presses(Qt.Key_S)
            watching.presses(Qt.Key_R)
            watching.window.keeping.playing = clip
            watching.window.actions_by_name["toggle_star"].trigger()
            watching.window.actions_by_name["choose_recording"].trigger()
            (dialog,) = watching.window.findChildren(RecordingDialog)
            dialog.folder.setText(str(disk / "other"))
            dialog.reject()
        thaw.cancel()
        watching.bot.waitUntil(lambda: is_starred(clip) and len(list(disk.glob("*.jpg"))) == 1)
        watching.bot.waitUntil(lambda: "REC" in marks(watching) or "Only" in watching.window.banner.words)
        watching.window.close_source()
        watching.bot.waitUntil(lambda: not watching.window.caught)
