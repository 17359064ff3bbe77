"""A click on a box of a standing picture, answered by a real process with a real model."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PyQt5.QtCore import QPoint, Qt

from detector.importers import import_file
from detector.model_store import Model, save_model
from detector.values import Detections, LabelMap
from tests.app.watching import SquareFinder
from tests.widgets.finding import FinderChooser


class _AnchoredFinder(SquareFinder):
    """Says which anchor each box comes from."""

    def _look(self, frame, nms_iou):
        found = super()._look(frame, nms_iou)
        anchors = np.arange(1500, 1500 + len(found), dtype=np.int32)
        return Detections(found.boxes, found.scores, found.class_ids, anchor_ids=anchors)


class _CocoChooser(FinderChooser):
    """Its boxes are the square finder's, its model is a real one."""

    real: Model

    @property
    def model(self):
        return self.real


@pytest.fixture(scope="module")
def coco(shared, tmp_path_factory):
    imported = import_file(shared / "models" / "coco_ssd_mobilenet_v1_quant.tflite", name="coco")
    return save_model(imported.card, imported.weights, folder=tmp_path_factory.mktemp("models"))


@pytest.fixture
def standing(open_window, clip, coco, qtbot):
    """A window that stands at a picture with boxes."""
    chooser = _CocoChooser(open_engine=partial(_AnchoredFinder))
    chooser.real = coco
    window = open_window(chooser)
    window.open_source(str(clip))
    page = window.page
    qtbot.waitUntil(lambda: len(page.view.scene.detections) > 0)
    window.actions_by_name["toggle_pause"].trigger()
    pipeline, _ = page.watched()
    qtbot.waitUntil(lambda: pipeline.latest().paused and pipeline.latest().own_boxes)
    page._refresh()
    return window


def _click(qtbot, view, x, y):
    place = view.scene.picture.placement.to_view(x, y)
    qtbot.mouseClick(view, Qt.LeftButton, pos=QPoint(*map(round, place)))


def _middle(box):
    return float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2


@pytest.mark.timeout(400)
def test_a_click_on_a_box_of_a_standing_picture_says_and_shows_why_until_the_picture_goes_on(
    standing, qtbot, coco
):
    page = standing.page
    view, card = page.view, page.reasons.card
    _click(qtbot, view, *_middle(view.scene.detections.boxes[0]))
    assert card.isVisible() and "made ready" in card.sentence
    qtbot.waitUntil(lambda: "made ready" not in card.sentence, timeout=350000)  # TensorFlow loads
    assert "Anchor 150" in card.sentence and "Conv2d_5_pointwise_relu6 (38×38)" in card.sentence
    assert not view.scene.reason.heat.isNull() and len(view.scene.reason.anchors) == 0
    card.anchors.setChecked(True)
    card.opacity.setValue(30)
    assert len(view.scene.reason.anchors) >= 1 and view.scene.reason.opacity == 0.3
    assert len(view.scene.reason.grid) == 0
    card.grid.setChecked(True)
    reason = view.scene.reason
    assert (len(reason.grid), reason.shapes) == (600, 6)  # 10x10 cells
    assert reason.anchors[0] in reason.grid[reason.cell * 6 :][:6]

    _click(qtbot, view, 1, view.scene.picture.frame.height - 1)  # no box is there
    assert not card.isVisible() and view.scene.reason is None

    seen = page._view  # as if its boxes had been carried to it by the tracker
    earlier = replace(seen.frame, captured_at=seen.frame.captured_at - 0.12)
    x, y = _middle(view.scene.detections.boxes[0])
    carried = replace(seen, own_boxes=False, found_on=earlier)
    page.reasons.ask(carried, x, y, labels=coco.labels, nms_iou=0.45)
    qtbot.waitUntil(lambda: view.scene.reason is not None, timeout=60000)
    assert "Carried here from a picture 0.12 s before" in card.sentence
    standing.actions_by_name["toggle_pause"].trigger()
    qtbot.waitUntil(lambda: view.scene.reason is None and not card.isVisible())


def test_a_drag_and_a_click_on_a_moving_picture_ask_nothing(standing, qtbot):
    view, card = standing.page.view, standing.page.reasons.card
    x, y = map(round, view.scene.picture.placement.to_view(*_middle(view.scene.detections.boxes[0])))
    qtbot.mousePress(view, Qt.LeftButton, pos=QPoint(x, y))
    qtbot.mouseRelease(view, Qt.LeftButton, pos=QPoint(x + 40, y))
    assert not card.isVisible()
    standing.actions_by_name["toggle_pause"].trigger()
    qtbot.waitUntil(lambda: not standing.page.watched()[0].latest().paused)
    standing.page._refresh()
    _click(qtbot, view, *_middle(view.scene.detections.boxes[0]))
    assert not card.isVisible()


def test_a_box_that_a_model_of_other_classes_found_has_its_own_name(standing):
    page = standing.page
    boxes = page.view.scene.detections
    strange = Detections(boxes.boxes, boxes.scores, np.full(len(boxes), 200, np.int32))  # as of a recording
    x, y = _middle(boxes.boxes[0])
    labels = LabelMap(tuple(f"thing {number}" for number in range(201)))
    page.reasons.ask(replace(page._view, detections=strange), x, y, labels=labels, nms_iou=0.45)
    assert "thing 200" in page.reasons.card._title.text()
    assert "cannot be explained" in page.reasons.card.sentence
