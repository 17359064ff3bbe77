"""Several sources in one window, as a person uses them: real files, real cameras that die, one engine."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QFileDialog, QPushButton

from app.settings import Settings
from app.sources import State
from tests.app.rtsp import load_server
from tests.app.videos import write_video
from tests.app.watching import SquareFinder
from tests.widgets.finding import FinderChooser
from widgets.several_dialog import SeveralDialog
from widgets.tile import Tile
from widgets.window import Window


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Four of six seconds."""
    folder = tmp_path_factory.mktemp("clips")
    paths = [folder / f"{name}.mp4" for name in ("door", "till", "yard", "gate")]
    for path in paths:
        write_video(path, 150)
    return [str(path) for path in paths]


@pytest.fixture
def grid(qtbot, open_window: Callable[..., Window], clips: list[str]) -> Window:
    """Four clips, all with boxes."""
    window = open_window()
    window.together.open(clips)
    until(qtbot, lambda: all(len(scene(tile).detections) for tile in window.grid.tiles))
    return window


def until(qtbot, condition: Callable[[], object]) -> None:
    qtbot.waitUntil(lambda: bool(condition()))


def scene(tile: Tile):
    return tile.view.scene


def sequence(tile: Tile) -> int:
    frame = tile.watch.pipeline.latest().frame
    return frame.sequence if frame else -1


def test_several_sources_stand_side_by_side_with_names_boxes_and_figures_of_their_own(qtbot, grid: Window):
    tiles = grid.grid.tiles
    assert [tile.name.text() for tile in tiles] == ["door.mp4", "till.mp4", "yard.mp4", "gate.mp4"]
    assert {(tile.x() // (grid.width() // 2), tile.y() > tiles[0].y()) for tile in tiles} == {
        (0, False),
        (1, False),
        (0, True),
        (1, True),
    }
    until(qtbot, lambda: all("/s shown" in tile.figures.text() for tile in tiles))
    assert "4 sources" in grid.windowTitle()


def test_several_sources_are_ticked_in_a_dialog(
    qtbot, open_window: Callable[..., Window], clips: list[str], monkeypatch: pytest.MonkeyPatch
):
    door, till, yard, _ = clips
    window = open_window(settings=Settings(recent_sources=(door, till)))
    window.actions_by_name["open_several"].trigger()
    dialog = window.findChild(SeveralDialog)
    assert not dialog.watch.isEnabled()
    recent = [dialog.list.item(row) for row in range(dialog.list.count())]
    next(item for item in recent if item.toolTip() == till).setCheckState(Qt.Checked)
    qtbot.keyClicks(dialog.address, yard)
    qtbot.keyClick(dialog.address, Qt.Key_Return)
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([door], ""))
    dialog.findChildren(QPushButton)[1].click()
    assert dialog.watch.text() == "Watch 3 together"
    dialog.watch.click()
    assert [tile.address for tile in window.grid.tiles] == [door, till, yard]


def test_a_password_typed_with_an_address_is_used_and_not_shown(qtbot):
    dialog = SeveralDialog()
    qtbot.addWidget(dialog)
    dialog.address.setText("rtsp://me:secret@10.0.0.5/one")
    qtbot.keyClick(dialog.address, Qt.Key_Return)
    assert dialog.addresses == ["rtsp://me:secret@10.0.0.5/one"]
    assert "secret" not in dialog.list.item(0).text() + dialog.list.item(0).toolTip()


def test_one_engine_looks_at_all_of_them(qtbot, open_window: Callable[..., Window], clips: list[str]):
    opened: list[SquareFinder] = []

    def open_engine() -> SquareFinder:
        opened.append(SquareFinder())
        return opened[-1]

    window = open_window(FinderChooser(open_engine=open_engine))
    window.together.open(clips)
    until(qtbot, lambda: all(len(scene(tile).detections) for tile in window.grid.tiles))
    window.close_source()
    until(qtbot, lambda: not window.caught)
    assert len(opened) == 1 and opened[0].closed


def test_a_click_shows_one_large_while_the_others_go_on_and_escape_brings_all_back(qtbot, grid: Window):
    first, second = grid.grid.tiles[:2]
    before = sequence(second)
    qtbot.mouseClick(first.view, Qt.LeftButton)
    assert grid.page.isVisible() and not first.isVisible()
    watched = grid.page.watched()
    assert watched is not None and watched[0] is first.watch.pipeline
    until(qtbot, lambda: len(grid.page.view.scene.detections))
    until(qtbot, lambda: sequence(second) > before + 5)
    qtbot.keyClick(grid.page.view, Qt.Key_Escape)
    assert first.isVisible() and second.isVisible() and not grid.page.isVisible()
    newest = scene(first).picture
    until(qtbot, lambda: scene(first).picture is not newest)  # it goes on where it stood


def test_a_name_is_a_button_for_those_without_a_mouse(qtbot, grid: Window):
    qtbot.keyClick(grid.grid.tiles[2].name, Qt.Key_Space)
    until(qtbot, lambda: grid.page.isVisible() and "yard.mp4" in grid.windowTitle())
    grid.together.show_grid()
    assert grid.grid.isVisible()


def test_what_becomes_of_one_source_is_said_in_its_place_and_no_other_notices(
    qtbot, open_window: Callable[..., Window], clips: list[str], shared: Path
):
    with load_server(shared).RtspServer(clips[0]) as server:
        window = open_window()
        window.together.open([server.url, clips[1], str(Path(clips[0]).with_name("nowhere.mp4"))])
        camera, clip, missing = window.grid.tiles
        until(qtbot, lambda: len(scene(camera).detections) and len(scene(clip).detections))
        until(qtbot, lambda: missing.view.card.shown)
        assert "nowhere.mp4" in missing.view.card.shown.sentence
    until(qtbot, lambda: camera.view.card.shown and scene(camera).veiled)
    assert clip.view.card.shown is None and not scene(clip).veiled
    qtbot.mouseClick(missing.view.card._leave, Qt.LeftButton)  # "Back": it is not wanted any more
    assert window.grid.tiles == [camera, clip]
    until(qtbot, lambda: clip.watch.pipeline.latest().status.state is State.ENDED)


def test_a_set_opens_as_one_and_is_remembered(
    qtbot, grid: Window, open_window: Callable[..., Window], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "shop.sources"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    grid.actions_by_name["save_together"].trigger()
    assert grid.settings.recent_sources[0] == str(path)
    other = open_window(settings=Settings())
    other.open_source(str(path))
    until(qtbot, lambda: all(scene(tile).picture for tile in other.grid.tiles))
    assert [tile.name.text() for tile in other.grid.tiles] == ["door.mp4", "till.mp4", "yard.mp4", "gate.mp4"]


def test_a_set_that_makes_no_sense_is_a_sentence(open_window: Callable[..., Window], tmp_path: Path):
    (tmp_path / "shop.sources").write_text("# none yet\n")
    window = open_window()
    window.open_source(str(tmp_path / "shop.sources"))
    assert "holds no source" in window.banner.words and window.start_page.isVisible()


def test_thresholds_and_models_are_for_all_of_them(qtbot, grid: Window):
    grid.page.panel.set_thresholds(0.95, 0.9)
    until(qtbot, lambda: not any(len(scene(tile).detections) for tile in grid.grid.tiles))
    grid.page.panel.set_thresholds(0.5, 0.9)
    until(qtbot, lambda: all(len(scene(tile).detections) == 2 for tile in grid.grid.tiles))
    grid.models.changed.emit()
    until(qtbot, lambda: all(len(scene(tile).detections) == 2 for tile in grid.grid.tiles))


def test_what_is_said_of_a_source_fits_into_a_small_place(qtbot, open_window: Callable[..., Window]):
    window = open_window()
    window.together.open(["rtsp://127.0.0.1:1/live"] * 9)
    window.resize(800, 600)
    tile = window.grid.tiles[4]
    until(qtbot, lambda: tile.view.card.shown and tile.view.card.width() <= tile.view.width() < 400)
    assert tile.view.rect().contains(tile.view.card.geometry())


def test_long_names_do_not_widen_the_window(qtbot, open_window: Callable[..., Window], tmp_path: Path):
    name = f"{'the-entrance-of-the-shop-' * 4}seen-from-the-street.mp4"
    window = open_window()
    window.together.open([str(tmp_path / name)] * 9)
    window.resize(800, 600)
    tile = window.grid.tiles[4]
    until(qtbot, lambda: tile.figures.text() and window.width() == 800 and "…" in tile.name.text())
    assert tile.name.accessibleName() == name


def test_how_a_recording_ends_is_said_while_its_source_is_one_of_several(qtbot, grid: Window, tmp_path: Path):
    for tile, name in zip(grid.grid.tiles, ("one.mp4", "two.mp4")):
        tile.watch.pipeline.start_recording(tmp_path / name)
    for tile, name in zip(grid.grid.tiles, ("one.mp4", "two.mp4")):
        until(qtbot, lambda tile=tile: tile.watch.pipeline.latest().recording.frames > 5)
        tile.watch.pipeline.stop_recording()
        until(qtbot, lambda name=name: name in grid.banner.words)
    for _ in range(2 * len(grid.grid.tiles)):  # two looks later, neither is told again
        with qtbot.waitSignal(grid.grid.looked):
            pass
    assert f"Recorded one.mp4, two.mp4 in {tmp_path}" == grid.banner.words
