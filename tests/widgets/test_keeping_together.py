"""Recordings and snapshots of several sources in one window: each its own file, each its own words."""

import shutil
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from PyQt5.QtCore import Qt

from app.recording.quota import is_starred
from tests.app.videos import write_video
from tests.widgets.test_grid import scene, until
from widgets.tile import Tile
from widgets.window import Window

REFUSED = "rtsp://127.0.0.1:1/live"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Four of forty seconds."""
    folder = tmp_path_factory.mktemp("clips")
    write_video(folder / "door.mp4", 1000)
    others = [shutil.copy(folder / "door.mp4", folder / f"{name}.mp4") for name in ("till", "yard", "gate")]
    return [str(path) for path in (folder / "door.mp4", *others)]


@pytest.fixture
def watch(qtbot, open_window: Callable[..., Window]) -> Callable[..., Window]:
    """Watches sources side by side, those that are files with their first pictures there."""

    def together(*addresses: str) -> Window:
        window = open_window()
        window.together.open(addresses)
        shown = [tile for tile in window.grid.tiles if Path(tile.address).exists()]
        until(qtbot, lambda: all(len(scene(tile).detections) for tile in shown))
        until(qtbot, window.isActiveWindow)
        return window

    return together


def press(qtbot, window: Window, key: int) -> None:
    qtbot.keyClick(window.page if window.page.isVisible() else window.grid, key)


def is_marked(tile: Tile) -> bool:
    return any(mark.words.startswith("REC") for mark in scene(tile).marks)


def paths_written(window: Window) -> set[Path | None]:
    return {tile.watch.pipeline.latest().recording.path for tile in window.grid.tiles}


def is_pressed(window: Window) -> bool:
    return window.actions_by_name["toggle_recording"].isChecked()


def saved(studio_home: Path, suffix: str) -> list[str]:
    """What files are called, without the time."""
    found = (studio_home / "recordings").glob(f"*{suffix}")
    return sorted(path.name.partition("_")[0] for path in found if not path.name.startswith("."))


def test_in_the_grid_all_are_recorded_each_to_its_own_file(qtbot, watch, clips, studio_home):
    window = watch(*clips)
    press(qtbot, window, Qt.Key_R)
    until(qtbot, lambda: all(map(is_marked, window.grid.tiles)) and is_pressed(window))
    until(qtbot, lambda: window.grid.bar.words.text() == "4 of 4 sources recorded")
    press(qtbot, window, Qt.Key_R)
    until(qtbot, lambda: saved(studio_home, ".mp4") == ["door", "gate", "till", "yard"])
    until(qtbot, lambda: not is_pressed(window) and not any(map(is_marked, window.grid.tiles)))
    for path in (studio_home / "recordings").iterdir():
        with av.open(str(path)) as video:
            assert sum(1 for _ in video.decode(video=0)) > 0


def test_in_the_grid_a_snapshot_is_one_of_each(qtbot, watch, clips, studio_home):
    window = watch(*clips)
    press(qtbot, window, Qt.Key_S)
    until(qtbot, lambda: saved(studio_home, ".jpg") == ["door", "gate", "till", "yard"])
    until(qtbot, lambda: window.banner.words.startswith("Saved 4 files, the last "))


def test_two_of_one_name_have_files_of_their_own(qtbot, watch, clips, tmp_path, studio_home):
    window = watch(clips[0], str(shutil.copy(clips[0], tmp_path / "door.mp4")))
    press(qtbot, window, Qt.Key_S)
    press(qtbot, window, Qt.Key_R)
    until(qtbot, lambda: all(map(is_marked, window.grid.tiles)))
    press(qtbot, window, Qt.Key_R)
    for suffix in (".jpg", ".mp4"):
        until(qtbot, lambda suffix=suffix: saved(studio_home, suffix) == ["door-1", "door-2"])


def test_with_one_large_only_that_one_is_recorded_and_the_button_tells_of_what_is_shown(qtbot, watch, clips):
    window = watch(*clips)
    door, till, *_ = window.grid.tiles
    window.together.show_large(door)
    press(qtbot, window, Qt.Key_R)
    until(qtbot, lambda: door.watch.pipeline.latest().recording)
    window.together.show_grid()
    assert is_pressed(window)
    until(qtbot, lambda: window.grid.bar.words.text() == "1 of 4 sources recorded")
    window.together.show_large(till)
    assert not is_pressed(window)
    window.together.show_grid()
    assert is_pressed(window)
    frames = door.watch.pipeline.latest().recording.frames
    until(qtbot, lambda: door.watch.pipeline.latest().recording.frames > frames + 10)
    assert [tile for tile in window.grid.tiles if tile.watch.pipeline.latest().recording] == [door]
    press(qtbot, window, Qt.Key_R)
    until(qtbot, lambda: not is_pressed(window) and "Recorded door_" in window.banner.words)


def test_with_one_large_a_snapshot_is_of_that_one(qtbot, watch, clips, studio_home):
    window = watch(*clips)
    window.together.show_large(window.grid.tiles[1])
    press(qtbot, window, Qt.Key_S)
    until(qtbot, lambda: "Saved till_" in window.banner.words)
    assert saved(studio_home, ".jpg") == ["till"]


def test_a_source_that_will_never_send_a_picture_says_so_in_its_place_and_the_others_go_on(
    qtbot, watch, clips, tmp_path
):
    window = watch(clips[0], str(tmp_path / "nowhere.mp4"))
    door, missing = window.grid.tiles
    until(qtbot, lambda: missing.view.card.shown and "cannot" in missing.view.card.shown.title)
    press(qtbot, window, Qt.Key_R)
    until(qtbot, lambda: is_marked(door) and window.grid.bar.words.text() == "1 of 2 sources recorded")
    assert missing.note.words == "nowhere.mp4 sends no more pictures; there is nothing to record."
    assert not window.banner.isVisible()


def test_a_camera_that_is_not_there_yet_waits_to_be_recorded_and_says_so(qtbot, watch, clips):
    window = watch(clips[0], REFUSED)
    door, camera = window.grid.tiles
    press(qtbot, window, Qt.Key_R)
    until(qtbot, lambda: is_marked(door))
    until(qtbot, lambda: window.grid.bar.words.text() == "1 of 2 sources recorded, 1 waiting")
    assert "sends no pictures at the moment; its recording begins with the next." in camera.note.words
    assert [mark.words for mark in scene(camera).marks] == ["WAITING"]


def test_a_snapshot_of_what_has_shown_nothing_says_so_in_its_place(qtbot, watch, clips, studio_home):
    window = watch(clips[0], REFUSED)
    press(qtbot, window, Qt.Key_S)
    assert "has shown no picture yet" in window.grid.tiles[1].note.words
    until(qtbot, lambda: saved(studio_home, ".jpg") == ["door"])


def test_a_disk_that_refuses_is_told_in_the_place_of_each(qtbot, watch, clips, tmp_path):
    window = watch(*clips)
    (tmp_path / "file").touch()
    window.keeping.folder = str(tmp_path / "file")
    press(qtbot, window, Qt.Key_R)
    until(qtbot, lambda: all(str(tmp_path / "file") in tile.note.words for tile in window.grid.tiles))
    assert not window.banner.isVisible()
    until(qtbot, lambda: not is_pressed(window))


def test_what_was_said_in_a_place_goes_when_the_person_asks_again(qtbot, watch, clips, tmp_path, studio_home):
    window = watch(clips[0], clips[1])
    (tmp_path / "file").touch()
    window.keeping.folder = str(tmp_path / "file")
    press(qtbot, window, Qt.Key_S)
    until(qtbot, lambda: all(tile.note.isVisible() for tile in window.grid.tiles))
    window.keeping.folder = ""
    press(qtbot, window, Qt.Key_S)
    assert not any(tile.note.isVisible() for tile in window.grid.tiles)
    until(qtbot, lambda: saved(studio_home, ".jpg") == ["door", "till"])


def test_what_is_said_in_a_small_place_fits(qtbot, watch):
    window = watch(*[REFUSED] * 9)
    window.resize(800, 600)
    tile = window.grid.tiles[4]
    until(qtbot, lambda: tile.view.width() < 300)
    press(qtbot, window, Qt.Key_S)
    assert tile.view.rect().contains(tile.note.geometry())
    assert tile.note.height() >= tile.note.heightForWidth(tile.view.width())


def test_of_a_source_that_is_not_in_view_it_is_said_with_its_name(qtbot, watch, clips):
    window = watch(clips[0], REFUSED)
    door, camera = window.grid.tiles
    press(qtbot, window, Qt.Key_R)
    until(qtbot, lambda: camera.watch.pipeline.latest().recording)
    window.together.show_large(door)
    camera.watch.pipeline.stop_recording()
    sentence = "rtsp://127.0.0.1:1/live: Nothing was recorded: there was no picture."
    until(qtbot, lambda: window.banner.words == sentence)


def test_a_recording_wanted_while_the_one_before_is_finished_begins_after_it(
    qtbot, watch, clips, studio_home
):
    window = watch(clips[0], clips[1])
    press(qtbot, window, Qt.Key_R)
    until(qtbot, lambda: all(map(is_marked, window.grid.tiles)))
    first = paths_written(window)
    press(qtbot, window, Qt.Key_R)
    press(qtbot, window, Qt.Key_R)
    assert is_pressed(window)
    until(qtbot, lambda: not paths_written(window) & (first | {None}))
    press(qtbot, window, Qt.Key_R)
    until(qtbot, lambda: saved(studio_home, ".mp4") == ["door", "door", "till", "till"])
    assert not any(tile.note.isVisible() for tile in window.grid.tiles)


def test_a_star_is_for_what_is_watched_now(qtbot, watch, clips, open_window):
    window = open_window()
    window.open_source(clips[0])
    window.together.open(clips[1:])
    window.actions_by_name["toggle_star"].trigger()
    until(qtbot, lambda: "no recording to star yet" in window.banner.words)
    assert not is_starred(Path(clips[0]))


def test_a_source_that_has_ended_says_so(qtbot, watch, clips, tmp_path):
    write_video(tmp_path / "short.mp4", 10)
    window = watch(clips[0], str(tmp_path / "short.mp4"))
    until(qtbot, lambda: window.grid.tiles[1].figures.text() == "ended")
