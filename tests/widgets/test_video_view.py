"""What the view paints, read back from its pixels."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import QColor, QImage, QMouseEvent, QWheelEvent
from PyQt5.QtWidgets import QApplication

from app.overlay import colour_of
from detector.values import Detections, Frame, LabelMap
from widgets import theme
from widgets.marks_painter import Mark
from widgets.picture import prepare
from widgets.video_view import Scene, VideoView

PERSON = LabelMap(("person",))
GRAY = 90


@pytest.fixture
def view(qtbot):
    view = VideoView()
    qtbot.addWidget(view)
    view.resize(400, 400)
    view.show()
    qtbot.waitExposed(view)
    assert view.devicePixelRatioF() == float(os.environ.get("QT_SCALE_FACTOR", "1"))
    return view


def gray_frame(width: int = 200, height: int = 100, sequence: int = 0) -> Frame:
    return Frame(np.full((height, width, 3), GRAY, np.uint8), sequence=sequence)


def box(x1: float, y1: float, x2: float, y2: float, score: float = 0.9) -> Detections:
    return Detections(np.float32([[x1, y1, x2, y2]]), np.float32([score]), np.int32([0]))


def shown(view: VideoView, **scene: object) -> QImage:
    """The view's pixels after painting a scene."""
    view.show_scene(Scene(**scene))
    return view.grab().toImage()


def colour(image: QImage, x: float, y: float) -> tuple[int, int, int]:
    """Of the device pixel in which the middle of a logical one lies."""
    ratio = image.devicePixelRatioF()
    pixel = image.pixelColor(int((x + 0.5) * ratio), int((y + 0.5) * ratio))
    return pixel.red(), pixel.green(), pixel.blue()


def test_the_picture_lies_in_the_middle_on_a_dark_stage(view):
    image = shown(view, picture=prepare(gray_frame(), view.surface()))
    stage = QColor(theme.DARK.stage)
    assert colour(image, 200, 200) == (GRAY, GRAY, GRAY)
    assert colour(image, 200, 101) == (GRAY, GRAY, GRAY)  # 400x200, so it begins at 100
    assert colour(image, 200, 98) == (stage.red(), stage.green(), stage.blue())


def test_a_box_is_painted_where_it_is_in_the_colour_of_its_class(view):
    picture = prepare(gray_frame(), view.surface())
    image = shown(view, picture=picture, detections=box(50, 20, 150, 80), labels=PERSON, with_text=False)
    # twice as large as the frame, 100 further down; the line of 2 pixels lies within the box
    assert colour(image, 101, 200) == colour_of("person")
    assert colour(image, 299, 200) == colour_of("person")
    assert colour(image, 200, 141) == colour_of("person")
    assert colour(image, 200, 259) == colour_of("person")
    assert colour(image, 200, 200) == (GRAY, GRAY, GRAY)


def test_names_and_scores_stand_at_their_box_in_its_colour(view):
    picture = prepare(gray_frame(), view.surface())
    scene = {"picture": picture, "detections": box(50, 30, 150, 80), "labels": PERSON}
    with_text, without = shown(view, **scene), shown(view, **scene, with_text=False)
    above = [(x, 155) for x in range(102, 160)]
    assert colour_of("person") in {colour(with_text, *place) for place in above}
    assert {colour(without, *place) for place in above} == {(GRAY, GRAY, GRAY)}


def test_labels_keep_clear_of_each_other(view):
    both = Detections(
        np.float32([[50, 40, 150, 80], [52, 41, 152, 82]]), np.float32([0.9, 0.8]), np.int32([0, 0])
    )
    picture = prepare(gray_frame(), view.surface())

    def label_area(detections: Detections) -> int:
        """Pixels that only the labels have in their class's colour."""
        scene = {"picture": picture, "labels": PERSON, "detections": detections}
        images = shown(view, **scene), shown(view, **scene, with_text=False)
        everywhere = [(x, y) for x in range(400) for y in range(100, 300)]
        with_text, without = (
            sum(colour(image, *at) == colour_of("person") for at in everywhere) for image in images
        )
        return with_text - without

    assert label_area(both) > 1.7 * label_area(both[:1])


def test_an_old_picture_is_greyed_and_has_no_boxes(view):
    picture = prepare(gray_frame(), view.surface())
    scene = {"picture": picture, "detections": box(50, 20, 150, 80), "labels": PERSON}
    image = shown(view, **scene, veiled=True)
    assert max(colour(image, 200, 200)) < GRAY
    assert colour_of("person") not in {colour(image, x, 200) for x in range(95, 110)}


def test_marks_are_painted_over_everything(view):
    image = shown(view, picture=prepare(gray_frame(), view.surface()), marks=(Mark("REC 0:01", "#ff0000"),))
    assert (255, 0, 0) in {colour(image, x, y) for x in range(12, 60) for y in range(12, 40)}


def test_it_says_which_frame_was_painted(view, qtbot):
    with qtbot.waitSignal(view.painted) as painted:
        view.show_scene(Scene(picture=prepare(gray_frame(sequence=17), view.surface())))
    assert painted.args == [17]


def test_scenes_that_come_faster_than_the_screen_are_not_all_painted(view, qtbot):
    painted: list[int] = []
    view.painted.connect(painted.append)
    surface = view.surface()
    for sequence in range(200):
        view.show_scene(Scene(picture=prepare(gray_frame(sequence=sequence), surface)))
        QApplication.processEvents()
    qtbot.waitUntil(lambda: painted[-1:] == [199])
    assert len(painted) < 200


def test_a_hidden_view_wants_no_pictures(view):
    assert view.surface() is not None
    view.hide()
    assert view.surface() is None


def test_the_wheel_zooms_with_control_only_and_keeps_the_place_under_the_mouse(view):
    picture = prepare(gray_frame(), view.surface())
    shown(view, picture=picture)

    def turn(modifiers: Qt.KeyboardModifiers) -> None:
        at = QPointF(300, 150)
        wheel = QWheelEvent(at, at, QPoint(), QPoint(0, 120), Qt.NoButton, modifiers, Qt.NoScrollPhase, False)
        QApplication.sendEvent(view, wheel)

    turn(Qt.NoModifier)
    assert view.surface().zoom.factor == 1
    before = picture.placement.to_frame(300, 150)
    turn(Qt.ControlModifier)
    zoomed = prepare(gray_frame(), view.surface())
    assert zoomed.placement.scale > picture.placement.scale
    x, _y = zoomed.placement.to_frame(300, 150)
    assert x == pytest.approx(before[0])
    view.reset_zoom()
    assert view.surface().zoom.factor == 1


def test_a_zoomed_picture_is_dragged(view, qtbot):
    view.show_scene(Scene(picture=prepare(gray_frame(), view.surface())))
    for _ in range(6):
        view.zoom_in()
        view.show_scene(Scene(picture=prepare(gray_frame(), view.surface())))
    before = view.surface().zoom
    qtbot.mousePress(view, Qt.LeftButton, pos=QPoint(200, 200))
    to = QPointF(260, 200)
    QApplication.sendEvent(
        view, QMouseEvent(QMouseEvent.MouseMove, to, Qt.NoButton, Qt.LeftButton, Qt.NoModifier)
    )
    qtbot.mouseRelease(view, Qt.LeftButton, pos=QPoint(260, 200))
    assert view.surface().zoom.x < before.x and view.surface().zoom.y == before.y


def test_all_of_this_holds_on_a_screen_of_fractional_scale():
    """Wheel, drag, zoom and every painted pixel; Qt reads the scale once, so in a process of its own."""
    command = [sys.executable, "-m", "pytest", __file__, "-k", "not fractional and not labels"]
    environment = os.environ | {"QT_SCALE_FACTOR": "1.25"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout
