"""Zones and lines drawn with the mouse, and what happens in them, as a person sees it."""

import json
import re

import pytest
from PyQt5.QtCore import QPoint, Qt

from app.events import Line, Regions, Zone
from app.settings import Settings
from app.tracking.identities import wait_for_library
from tests.app.test_live_events import WHOLE
from tests.widgets.person import Person


@pytest.fixture
def watching(qtbot, open_window, clip) -> Person:
    """Watches the clip; its square has a number from the second sight on."""
    wait_for_library()  # or the clip might be over before
    person = Person(qtbot, open_window())
    person.window.open_source(str(clip))
    person.sees(lambda view: len(view.detections))
    qtbot.waitUntil(lambda: person.window.page.view.scene.picture is not None)
    return person


def place(person: Person, x: float, y: float) -> QPoint:
    """Where a place of the picture (0..1) is in the view, once that has come to rest."""
    view = person.window.page.view
    person.bot.waitUntil(lambda: view.scene.picture and view.scene.picture.surface == view.surface())
    picture = view.scene.picture
    return QPoint(*map(round, picture.placement.to_view(x * picture.frame.width, y * picture.frame.height)))


def clicks(person: Person, x: float, y: float) -> None:
    person.bot.mouseClick(person.window.page.desk.layer, Qt.LeftButton, pos=place(person, x, y))


def regions(person: Person, address: str) -> Regions:
    return Settings.load().regions_of(address)


def listed(person: Person) -> list[str]:
    events = person.window.page.desk.panel.events
    return [re.sub(r".*  |\d+ ", "", events.item(row).text()) for row in range(events.count())]


def test_a_zone_is_drawn_by_its_corners_and_remembered_for_its_source(watching, clip, qtbot):
    desk = watching.window.page.desk
    watching.presses(Qt.Key_Z)
    assert desk.layer.drawing and desk.panel.isVisible()
    corners = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9))
    for corner in corners:
        clicks(watching, *corner)
    qtbot.mouseDClick(desk.layer, Qt.LeftButton, pos=place(watching, *corners[-1]))
    assert not desk.layer.drawing
    (zone,) = regions(watching, str(clip)).zones
    assert zone.name == "Zone 1"
    for drawn, meant in zip(zone.corners, corners):
        assert drawn == pytest.approx(meant, abs=0.01)


def test_a_line_takes_two_clicks_and_escape_gives_up(watching, clip, qtbot):
    desk = watching.window.page.desk
    watching.presses(Qt.Key_Z, Qt.ShiftModifier)
    clicks(watching, 0.5, 0.1)
    qtbot.keyClick(desk.layer, Qt.Key_Escape)
    assert not desk.layer.drawing and not regions(watching, str(clip))
    watching.presses(Qt.Key_Z, Qt.ShiftModifier)
    clicks(watching, 0.5, 0.1)
    clicks(watching, 0.5, 0.9)
    (line,) = regions(watching, str(clip)).lines
    assert line.start == pytest.approx((0.5, 0.1), abs=0.01)


def test_backspace_takes_the_last_corner_back(watching, clip, qtbot):
    layer = watching.window.page.desk.layer
    watching.presses(Qt.Key_Z)
    for corner in ((0.1, 0.1), (0.9, 0.1), (0.5, 0.5)):
        clicks(watching, *corner)
    qtbot.keyClick(layer, Qt.Key_Backspace)
    clicks(watching, 0.5, 0.9)
    qtbot.keyClick(layer, Qt.Key_Return)
    (zone,) = regions(watching, str(clip)).zones
    assert zone.corners[2] == pytest.approx((0.5, 0.9), abs=0.01)


def test_a_corner_is_moved_with_the_mouse_and_a_zone_renamed_and_removed(watching, clip, qtbot):
    desk = watching.window.page.desk
    desk._use(Regions((Zone("door", ((0.2, 0.2), (0.8, 0.2), (0.5, 0.8))),)))
    watching.presses(Qt.Key_V)
    layer = desk.layer
    qtbot.mousePress(layer, Qt.LeftButton, pos=place(watching, 0.5, 0.8))
    qtbot.mouseMove(layer, place(watching, 0.6, 0.9))
    qtbot.mouseRelease(layer, Qt.LeftButton, pos=place(watching, 0.6, 0.9))
    (zone,) = regions(watching, str(clip)).zones
    assert zone.corners[2] == pytest.approx((0.6, 0.9), abs=0.01)
    desk.panel.regions.item(0).setText("gate")
    assert [zone.name for zone in regions(watching, str(clip)).zones] == ["gate"]
    desk.panel.regions.item(0).setText(" ")
    assert "needs a name" in watching.window.banner.words
    desk.panel.regions.setCurrentRow(0)
    qtbot.mouseClick(desk.panel._remove, Qt.LeftButton)
    assert not regions(watching, str(clip))


def test_without_anything_to_hold_the_mouse_belongs_to_the_picture(watching, qtbot):
    """Zones are shown, their panel is closed: dragging and double clicks reach the view."""
    watching.window.page.desk._use(Regions((WHOLE,)))
    clicked = []
    watching.window.page.view.double_clicked.connect(lambda: clicked.append(1))
    at = watching.window.page.view.mapTo(watching.window, place(watching, 0.5, 0.5))
    assert watching.window.childAt(at) is watching.window.page.view
    watching.presses(Qt.Key_V)
    qtbot.mouseDClick(watching.window.page.desk.layer, Qt.LeftButton, pos=place(watching, 0.5, 0.5))
    assert not watching.window.page.desk.layer.drawing


def test_what_happens_is_listed_and_counted_and_kept_when_wanted(watching, qtbot, studio_home):
    desk = watching.window.page.desk
    watching.presses(Qt.Key_V)
    desk._use(Regions((WHOLE, Line("middle", (0.5, 1), (0.5, 0)))))
    qtbot.waitUntil(lambda: "square appeared in whole" in listed(watching), timeout=30_000)
    qtbot.waitUntil(lambda: "1 square now" in desk.panel.regions.item(0).toolTip())
    desk.panel.keep.setChecked(True)
    watching.window.actions_by_name["seek_start"].trigger()  # it leaves and appears again
    qtbot.waitUntil(lambda: listed(watching).count("square appeared in whole") > 1, timeout=30_000)
    (file,) = (studio_home / "recordings").glob("*.jsonl")
    assert {json.loads(line)["event"] for line in file.read_text().splitlines()} >= {"left", "appeared"}


def test_an_action_that_is_not_there_is_said(watching, qtbot):
    desk = watching.window.page.desk
    desk.panel.action.setText("no-such-program")
    desk.panel.action.editingFinished.emit()
    assert "no command 'no-such-program'" in watching.window.banner.words


def test_what_was_drawn_is_there_at_the_next_start(qtbot, open_window, clip):
    settings = Settings().with_regions(str(clip), Regions((WHOLE,)))
    wait_for_library()
    person = Person(qtbot, open_window(settings=settings))
    person.window.open_source(str(clip))
    qtbot.waitUntil(lambda: "square appeared in whole" in listed(person), timeout=30_000)


def test_one_of_several_is_kept_watch_over_while_it_is_not_large(qtbot, open_window, clip, studio_home):
    wait_for_library()
    settings = Settings(keep_events=True).with_regions(str(clip), Regions((WHOLE,)))
    window = open_window(settings=settings)
    window.together.open([str(clip)] * 2)
    vigils = [tile.watch.vigil for tile in window.grid.tiles]
    qtbot.waitUntil(lambda: all(vigil.seen for vigil in vigils), timeout=30_000)
    files = list((studio_home / "recordings").glob("*.jsonl"))
    assert len(files) == 2
    qtbot.waitUntil(lambda: all("appeared" in file.read_text() for file in files))
    window.together.show_large(window.grid.tiles[1])
    person = Person(qtbot, window)
    qtbot.waitUntil(lambda: "square appeared in whole" in listed(person))
    window.together.show_grid()
    assert window.grid.tiles[1].watch.vigil.seen


def test_a_file_of_events_that_never_came_is_not_left(watching, qtbot, studio_home):
    watching.window.page.desk.panel.keep.setChecked(True)
    assert len(list((studio_home / "recordings").glob("*.jsonl"))) == 1
    watching.window.close_source()
    assert not list((studio_home / "recordings").glob("*.jsonl"))
