"""Recordings in the window: how they are made, found again, played with their boxes and looked through."""

import json
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from PyQt5.QtCore import Qt

from app.keeping import Wishes
from app.recording import Recorder
from app.recording.plan import Mode
from app.recording.quota import is_starred
from app.recording.sidecar import Finder, Note, SidecarWriter
from app.settings import Settings
from detector.values import Detections, Frame, LabelMap
from tests.app.outputs import pictures
from tests.app.test_clean_recording import sharpest
from tests.app.videos import eventually, numbered_picture
from tests.widgets.finding import FinderChooser
from tests.widgets.person import Person
from tests.widgets.test_keeping import marks
from widgets import recording_dialog
from widgets.recording_dialog import RecordingDialog
from widgets.window import Window

LABELS = LabelMap(("dog", "person"))
FINDER = Finder(labels=LABELS, name="street", min_score=0.5)


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    """Four seconds: a dog from the start, person 1 from 1.0 s to 1.4 s, person 2 from 3.0 s."""
    path = tmp_path / "walk.mp4"
    sidecar = SidecarWriter(path, 0.0)
    with Recorder(path, 96, 192, 25.0) as recorder:
        for number in range(100):
            picture = numbered_picture(number)
            recorder.write(picture, number / 25)
            rows = [(10, 40, 40, 80, 0.9, 0, 0)]
            rows += [(60, 40, 90, 80, 0.8, 1, 1)] if 25 <= number < 35 else []
            rows += [(90, 40, 120, 80, 0.55, 1, 2)] if number >= 75 else []
            table = np.array(rows, np.float32)
            ids = table[:, 5:].astype(np.int32)
            found = Detections(table[:, :4].copy(), table[:, 4].copy(), ids[:, 0].copy(), ids[:, 1].copy())
            sidecar.write(
                Note(number / 25, Frame(picture, number, number / 25, source="porch"), found, FINDER)
            )
    sidecar.close()
    return path


def test_a_recording_is_played_with_the_boxes_beside_it_and_filtered_anew(qtbot, open_window, walk):
    person = Person(qtbot, open_window())
    person.window.open_source(str(walk))
    view = person.sees(lambda view: len(view.detections))
    assert view.detector.device == "boxes recorded with street"
    assert person.window.page.watched()[1] == LABELS
    person.presses(Qt.Key_Space)
    person.window.page.playback.seek(3.4)
    person.sees(lambda view: view.own_boxes and view.frame.pts > 3.3 and len(view.detections) == 2)
    person.window.page.panel.min_score.set_value(0.7)
    person.sees(lambda view: len(view.detections) == 1)
    person.window.page.panel.min_score.set_value(0.2)
    person.sees(lambda view: len(view.detections) == 2)


def test_the_next_person_is_found_and_the_one_before(qtbot, open_window, walk):
    person = Person(qtbot, open_window())
    person.window.open_source(str(walk))
    person.sees(lambda view: len(view.detections))
    person.presses(Qt.Key_Space)
    person.window.page.panel.classes.set_classes(LABELS.names, {0})
    person.window.page.panel.classes_changed.emit()
    person.window.page.playback.seek(0.0)
    person.sees(lambda view: view.frame.pts == 0)
    person.presses(Qt.Key_N)
    person.sees(lambda view: view.frame.pts == pytest.approx(1.0))
    person.presses(Qt.Key_N)
    person.sees(lambda view: view.frame.pts == pytest.approx(3.0))
    person.presses(Qt.Key_N)
    assert "Nothing more of what is chosen appears after this" in person.window.banner.words
    person.presses(Qt.Key_N, Qt.ShiftModifier)
    person.sees(lambda view: view.frame.pts == pytest.approx(1.0))


def test_the_model_is_back_when_something_else_is_opened(qtbot, open_window, walk, clip):
    person = Person(qtbot, open_window())
    person.window.open_source(str(walk))
    person.sees(lambda view: len(view.detections))
    person.window.open_source(str(clip))
    view = person.sees(lambda view: len(view.detections) and view.frame.source == "clip.mp4")
    assert view.detector.device == "test bench"
    assert person.window.page.watched()[1].names == ("square", "number")
    person.presses(Qt.Key_N)
    assert "Only a recording with its boxes" in person.window.banner.words


def test_a_sidecar_that_is_damaged_is_said_and_the_video_is_detected_anew(qtbot, open_window, walk):
    walk.with_suffix(".jsonl").write_text("not a line of boxes\n")
    person = Person(qtbot, open_window())
    person.window.open_source(str(walk))
    assert "line 1: is no line of boxes" in person.window.banner.words
    assert person.sees(lambda view: len(view.detections)).detector.device == "test bench"


def test_what_is_wished_of_recordings_is_done_and_remembered(qtbot, open_window, clip, studio_home):
    person = Person(qtbot, open_window())
    person.window.open_source(str(clip))
    person.sees(lambda view: len(view.detections))
    person.presses(Qt.Key_R, Qt.ControlModifier)
    (dialog,) = person.window.findChildren(RecordingDialog)
    person.bot.waitUntil(lambda: "are free there" in dialog._room.text())
    dialog.mode.setCurrentIndex(dialog.mode.findData(Mode.SIDECAR.value))
    dialog.segments.setValue(10)
    dialog.accept()
    assert Settings.load().recording["mode"] == "sidecar"
    person.bot.waitUntil(lambda: not person.window.findChildren(RecordingDialog))
    person.window.activateWindow()
    person.bot.waitUntil(person.window.isActiveWindow)
    person.presses(Qt.Key_R)
    person.sees(lambda view: view.recording and view.recording.frames > 10)
    person.presses(Qt.Key_R)
    person.bot.waitUntil(lambda: "Recorded" in person.window.banner.words)
    video, lines = sorted((studio_home / "recordings").iterdir(), key=lambda path: path.suffix, reverse=True)
    assert (video.suffix, lines.suffix) == (".mp4", ".jsonl")
    assert json.loads(lines.read_text().splitlines()[0])["classes"] == ["square", "number"]
    person.window.close()
    again = open_window(settings=Settings.load())
    assert again.keeping.wishes == Wishes(mode="sidecar", segment_minutes=10)


def test_waiting_for_something_to_be_seen_is_shown(qtbot, open_window, clip, studio_home):
    person = Person(qtbot, open_window(settings=Settings(recording={"on_events": True, "mode": "clean"})))
    person.window.page.panel.min_score.set_value(0.99)
    person.window.open_source(str(clip))
    person.sees(lambda view: view.frame)
    person.presses(Qt.Key_R)
    qtbot.waitUntil(lambda: "WAITING" in marks(person))
    assert list((studio_home / "recordings").iterdir()) == []
    person.window.page.panel.min_score.set_value(0.5)
    qtbot.waitUntil(lambda: "REC" in marks(person))


def test_a_recording_can_be_starred_so_that_no_quota_deletes_it(qtbot, open_window, walk):
    person = Person(qtbot, open_window())
    person.window.open_source(str(walk))
    person.window.actions_by_name["toggle_star"].trigger()
    person.bot.waitUntil(lambda: "is starred" in person.window.banner.words)
    assert is_starred(walk)
    person.window.actions_by_name["toggle_star"].trigger()
    person.bot.waitUntil(lambda: "has lost its star" in person.window.banner.words)
    assert not is_starred(walk)


def test_the_room_that_is_said_is_that_of_the_folder_typed_last(qtbot, monkeypatch, tmp_path):
    asked: list[Path] = []
    disk = threading.Event()

    def slow_disk(place: Path) -> int:
        asked.append(place)
        assert disk.wait(20)
        return 10**9 * len(str(place))

    monkeypatch.setattr(recording_dialog, "free_bytes", slow_disk)
    dialog = RecordingDialog(Wishes(), str(tmp_path))
    qtbot.addWidget(dialog)
    for text in ("/a", "/ab", "~nobody-of-that-name", "/abc", "/abcd"):
        dialog.folder.setText(text)
    disk.set()  # typing has not waited for it
    qtbot.waitUntil(lambda: "5 GB are free" in dialog._room.text())
    assert asked == [tmp_path, Path("/abcd")]
    dialog.folder.setText("~nobody-of-that-name")
    qtbot.waitUntil(lambda: dialog._room.text() == "")


def test_what_an_interrupted_recording_left_is_offered_at_the_next_start(qtbot, open_window, studio_home):
    folder = studio_home / "recordings"
    folder.mkdir(parents=True)
    recorder = Recorder(folder / "porch.mp4", 96, 192, 25.0)
    for number in range(40):
        recorder.write(numbered_picture(number), number / 25)
    (folder / "left.part.mkv").write_bytes((folder / "porch.part.mkv").read_bytes())
    recorder.close()
    window = open_window()
    qtbot.waitUntil(lambda: "left.part.mkv was interrupted" in window.banner.words)
    window.banner._button.click()
    qtbot.waitUntil(lambda: window.banner.words == "Finished left.mp4")
    assert eventually(lambda: not (folder / "left.part.mkv").exists())
    assert (folder / "left.mp4").exists()


def test_what_is_to_be_blurred_is_blurred_in_view_snapshot_and_recording(qtbot, clip, studio_home):
    window = Window(FinderChooser(), Settings(), blur=["number"])
    window.show()
    person = Person(qtbot, window)
    person.window.open_source(str(clip))
    person.sees(lambda view: view.own_boxes and sharpest(view.frame.pixels[:28]) < 60)
    person.presses(Qt.Key_S)
    person.bot.waitUntil(lambda: "Saved" in person.window.banner.words)
    person.presses(Qt.Key_R)
    person.sees(lambda view: view.recording and view.recording.frames > 10)
    person.presses(Qt.Key_R)
    person.bot.waitUntil(lambda: "Recorded" in person.window.banner.words)
    snapshot, video = sorted((studio_home / "recordings").iterdir(), key=lambda path: path.suffix)
    assert sharpest(numbered_picture(1365)[:28]) > 200
    for picture in (cv2.imread(str(snapshot)), *pictures(video)):
        # the box of the number is drawn around it, with its name in a corner: the middle is only picture
        assert sharpest(picture[8:26, 60:130]) < 60
    window.close()
    qtbot.waitUntil(window.isHidden, timeout=4000)


def test_settings_that_cannot_be_meant_are_replaced_by_their_defaults():
    wishes = Wishes.from_json(
        {"mode": "both", "on_events": 1, "pre_roll": 999, "quota_gb": 50, "keep_days": -1, "x": 2}
    )
    assert wishes == Wishes(quota_gb=50)
    plan = wishes.plan()
    assert plan.quota.size == 50_000_000_000 and plan.limits.refuse == 500_000_000
