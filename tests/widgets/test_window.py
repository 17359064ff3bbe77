"""The window as a person uses it: real files and a real detector that finds squares."""

import threading

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QLabel,
    QLineEdit,
    QScrollBar,
)

from app.settings import Settings
from app.sources import State
from detector.errors import ModelError
from tests.app.watching import SquareFinder
from tests.widgets.finding import FinderChooser
from tests.widgets.person import Person
from widgets.large_button import LargeButton
from widgets.model_chooser import ModelChooser
from widgets.window import Window


def paused(person: Person) -> Person:
    person.presses(Qt.Key_Space)
    person.sees(lambda view: view.paused and view.own_boxes)
    return person


def words(window: Window) -> str:
    """Everything that can be read on the start page."""
    page = window.start_page
    parts = page.findChildren(QLabel) + page.findChildren(QAbstractButton)
    return " ".join(part.text() for part in parts if part.isVisible())


@pytest.mark.usefixtures("nothing_ships")
def test_without_any_model_the_start_page_says_so_and_offers_import(open_window):
    window = open_window(ModelChooser())
    assert "There is no model yet" in words(window) and "Import a model" in words(window)


@pytest.mark.usefixtures("nothing_ships")
def test_without_a_model_video_is_shown_without_boxes(qtbot, open_window, clip):
    person = Person(qtbot, open_window(ModelChooser()))
    person.window.open_source(str(clip))
    person.sees(lambda view: view.figures.shown)
    assert not person.window.page.panel.min_score.isEnabled()


def test_the_start_page_offers_what_was_watched_and_forgets_it_on_request(open_window, clip):
    window = open_window(settings=Settings().with_source(str(clip)))
    (recent,) = [
        button for button in window.start_page.findChildren(LargeButton) if button.text() == clip.name
    ]
    recent.actions()[0].trigger()
    assert window.settings.recent_sources == ()
    assert clip.name not in words(window)


def test_a_file_is_shown_with_boxes_and_figures(watching):
    view = watching.sees(lambda view: view.figures.shown and view.figures.age_ms)
    watching.bot.waitUntil(lambda: watching.window.page.figures.text("shown") != "shown 0.0/s")
    figures = watching.window.page.figures
    for name in ("captured", "detected", "shown"):
        assert figures.text(name).startswith(name) and figures.text(name).endswith("/s")
    assert figures.text("inference").endswith("ms") and figures.text("age").endswith("ms")
    assert figures.text("dropped").startswith("dropped ")
    assert figures.text("device") == "test bench" == view.detector.device
    assert "clip.mp4" in watching.window.windowTitle()


def test_the_minimum_score_acts_at_once_while_paused(watching):
    paused(watching)
    slider = watching.window.page.panel.min_score.slider
    number = watching.number()
    for score, count in ((95, 0), (50, 1), (20, 2), (80, 1)):
        slider.setValue(score)
        assert len(watching.view.detections) == count
    assert watching.number() == number


def test_the_overlap_acts_at_once_while_paused(watching):
    paused(watching)
    number = watching.number()
    watching.window.page.panel.nms_iou.slider.setValue(95)
    watching.sees(lambda view: len(view.detections) == 2)
    watching.window.page.panel.nms_iou.slider.setValue(45)
    watching.sees(lambda view: len(view.detections) == 1)
    assert watching.number() == number


def test_the_keys_of_the_thresholds(watching):
    panel = watching.window.page.panel
    before = panel.min_score.value, panel.nms_iou.value
    watching.presses(Qt.Key_Up)
    watching.presses(Qt.Key_Down, Qt.ShiftModifier)
    assert (panel.min_score.value, panel.nms_iou.value) == pytest.approx((before[0] + 0.05, before[1] - 0.05))
    watching.presses(Qt.Key_Backspace, Qt.ShiftModifier)
    assert (panel.min_score.value, panel.nms_iou.value) == before


def test_a_class_that_is_unticked_is_not_shown(watching):
    panel = watching.window.page.panel
    panel.min_score.slider.setValue(20)
    watching.sees(lambda view: set(view.detections.class_ids.tolist()) == {0, 1})
    panel.classes.search.setText("numb")
    watching.bot.mouseClick(_button(panel, "Hide all classes found"), Qt.LeftButton)
    watching.sees(lambda view: set(view.detections.class_ids.tolist()) == {0})
    watching.bot.mouseClick(_button(panel, "Show all classes found"), Qt.LeftButton)
    watching.sees(lambda view: set(view.detections.class_ids.tolist()) == {0, 1})


def _button(panel: object, name: str) -> QAbstractButton:
    return next(b for b in panel.findChildren(QAbstractButton) if b.accessibleName() == name)  # type: ignore[attr-defined]


def test_space_pauses_and_plays_and_dots_step_single_frames(watching):
    paused(watching)
    number = watching.number()
    watching.presses(Qt.Key_Period)
    watching.sees(lambda view: watching.number() == number + 1)
    watching.presses(Qt.Key_Comma)
    watching.sees(lambda view: watching.number() == number)
    watching.presses(Qt.Key_Space)
    watching.sees(lambda view: watching.number() > number + 1)


def test_seeking_and_speed(watching):
    paused(watching)
    watching.window.page.transport.seek_bar.sought.emit(2.0)
    watching.sees(lambda view: watching.number() == 50)
    watching.presses(Qt.Key_Left, Qt.ShiftModifier)
    watching.sees(lambda view: watching.number() == 25)
    watching.presses(Qt.Key_Home)
    watching.sees(lambda view: watching.number() == 0)
    watching.presses(Qt.Key_BracketRight)
    assert watching.view.speed == 1.25
    watching.presses(Qt.Key_Backspace)
    assert watching.view.speed == 1.0


def test_a_file_that_has_ended_plays_from_its_beginning(watching):
    watching.window.page.playback.set_speed(16)
    watching.sees(lambda view: view.status.state is State.ENDED)
    watching.window.page.playback.set_speed(1)
    watching.presses(Qt.Key_Space)
    watching.sees(lambda view: view.status.state is State.LIVE and watching.number() < 50)


def test_a_focused_slider_has_its_arrows_and_a_focused_button_its_space(watching):
    paused(watching)
    number, slider = watching.number(), watching.window.page.panel.min_score.slider
    watching.window.activateWindow()
    slider.setFocus()
    before = slider.value()
    watching.bot.keyClick(slider, Qt.Key_Right)
    assert slider.value() == before + 1 and watching.number() == number
    button = watching.window.page.panel.reset
    assert button.isEnabled()
    button.setFocus()
    watching.bot.keyClick(button, Qt.Key_Space)
    assert slider.value() == before and watching.view.paused


def test_everything_can_be_reached_with_tab_and_has_a_name_and_a_tip(watching):
    page = watching.window.page
    watching.bot.waitUntil(page.transport.seek_bar.isVisible)
    kinds = (QAbstractButton, QAbstractSlider, QAbstractItemView, QLineEdit)
    controls = [control for kind in kinds for control in page.findChildren(kind) if control.isVisible()]
    controls = [
        c for c in controls if not isinstance(c.parent(), QLineEdit) and not isinstance(c, QScrollBar)
    ]
    assert len(controls) >= 18
    for control in controls:
        words = control.accessibleName() or getattr(control, "text", str)()
        assert words, control
        assert control.toolTip() or control.parent().toolTip(), words
        assert control.focusPolicy() & Qt.TabFocus, words
    reached, widget = set(), page.view
    for _ in range(100):
        widget = widget.nextInFocusChain()
        reached.add(widget)
    assert set(controls) <= reached


def test_a_model_that_cannot_be_used_is_said_and_the_video_goes_on(qtbot, open_window, clip):
    def damaged() -> SquareFinder:
        raise ModelError("The weights of 'squares' are damaged; import it again.")

    person = Person(qtbot, open_window(FinderChooser(open_engine=damaged)))
    person.window.open_source(str(clip))
    person.bot.waitUntil(lambda: "are damaged; import it again" in person.window.banner.words)
    number = person.number()
    person.sees(lambda view: person.number() > number)


def test_a_model_that_is_loading_is_said_beside_the_figures_and_is_no_mishap(qtbot, open_window, clip):
    gate = threading.Event()

    def slow() -> SquareFinder:
        assert gate.wait(10)
        return SquareFinder()

    window = open_window(FinderChooser(open_engine=slow))
    window.open_source(str(clip))
    qtbot.waitUntil(lambda: window.page.figures.text("device") == "Loading the model")
    assert not window.banner.isVisible()
    gate.set()
    qtbot.waitUntil(lambda: window.page.figures.text("device") == "test bench")


def test_full_screen_hides_everything_but_the_picture_until_the_mouse_moves(watching):
    window, page = watching.window, watching.window.page
    watching.presses(Qt.Key_F)
    assert window.isFullScreen() and not window.menuBar().isVisible()
    assert not page.panel.isVisible() and not page.figures.isVisible()
    watching.bot.waitUntil(lambda: not page.transport.isVisible())
    watching.bot.mouseMove(page.view, QPoint(100, 60))
    page.view.moved_over.emit()
    assert page.transport.isVisible()
    watching.presses(Qt.Key_Escape)
    assert not window.isFullScreen() and page.panel.isVisible() and page.transport.isVisible()


def test_in_full_screen_the_controls_are_as_wide_as_the_picture_whatever_stands_beside_it(watching):
    page = watching.window.page
    watching.presses(Qt.Key_F)
    watching.bot.waitUntil(lambda: page.transport.width() == page.view.width() == page.width())
    watching.presses(Qt.Key_C)  # the panel comes for the search
    watching.bot.waitUntil(lambda: page.transport.width() == page.view.width() < page.width())
    page.panel.hide()
    watching.bot.waitUntil(lambda: page.transport.width() == page.view.width() == page.width())


def test_a_damaged_model_is_said_at_the_start_and_when_one_is_chosen(qtbot, open_window, studio_home):
    (studio_home / "models").mkdir(parents=True)
    (studio_home / "models" / "street.json").write_text("{")
    window = open_window(ModelChooser())
    assert "street.json cannot be read" in window.banner.words and window.banner.isVisible()
    (studio_home / "models" / "street.json").rename(studio_home / "models" / "lane.json")
    window.models.choose_model()
    assert "lane.json cannot be read" in window.banner.words


def test_panel_boxes_names_and_figures_are_switched_by_their_keys(watching):
    page = watching.window.page
    watching.presses(Qt.Key_D)
    assert not page.panel.isVisible()
    watching.presses(Qt.Key_D)
    assert page.panel.isVisible()
    assert page.view.scene.labels and page.view.scene.with_text and not page.view.scene.statistics
    watching.presses(Qt.Key_B)
    watching.presses(Qt.Key_L)
    watching.presses(Qt.Key_I)
    assert page.view.scene.labels is None and not page.view.scene.with_text
    assert any(line.startswith("age boxes") for line in page.view.scene.statistics)


def test_a_first_window_fits_on_a_small_screen(open_window):
    window = open_window()
    room, needed = window.screen().availableSize(), window.minimumSizeHint()
    assert room.width() < 1280 and room.height() < 800, "the screen of these tests is small"
    assert window.width() <= max(room.width(), needed.width())
    assert window.height() <= max(room.height(), needed.height())


def test_a_narrow_window_is_all_picture(watching):
    watching.window.resize(560, 480)
    watching.bot.waitUntil(lambda: not watching.window.page.panel.isVisible())
    watching.window.resize(1000, 700)
    watching.bot.waitUntil(watching.window.page.panel.isVisible)


def test_another_model_takes_over_while_the_video_goes_on(watching):
    engines = []

    def open_engine() -> SquareFinder:
        engines.append(SquareFinder())
        engines[-1].device = "another"
        return engines[-1]

    number = watching.number()
    watching.window.models._open_engine = open_engine
    watching.window.models.changed.emit()
    watching.sees(lambda view: view.detector.device == "another" and view.own_boxes)
    assert watching.number() >= number


def test_closing_while_the_model_still_loads_leaves_no_thread(qtbot, open_window, clip):
    gate = threading.Event()

    def slow() -> SquareFinder:
        assert gate.wait(10)
        return SquareFinder()

    before = set(threading.enumerate())
    window = open_window(FinderChooser(open_engine=slow))
    window.open_source(str(clip))
    window.close()
    gate.set()
    qtbot.waitUntil(lambda: not set(threading.enumerate()) - before, timeout=4000)


def test_what_a_person_chose_is_there_at_the_next_start(watching, open_window, clip):
    watching.window.page.panel.min_score.slider.setValue(33)
    watching.window.use_theme("light")
    watching.window.resize(900, 700)
    watching.window.close()
    watching.bot.waitUntil(watching.window.isHidden, timeout=4000)
    kept = Settings.load()
    assert kept.min_score == 0.33 and kept.nms_iou is None
    assert kept.theme == "light" and kept.model == "squares"
    assert kept.recent_sources == (str(clip),)
    again = open_window(settings=kept)
    assert again.page.panel.min_score.value == 0.33
    assert (again.width(), again.height()) == (900, 700)
    again.use_theme("dark")
