"""Anchors made for the objects of a data set: what they reach, where they stand, what becomes of them."""

import json
from dataclasses import replace

import numpy as np
import pytest

import main
from detector.anchor_layouts import LAYOUTS
from detector.anchors import AnchorLayout
from detector.errors import TrainingError
from detector.matching import REACH
from tests.trainer.pictures import voc_file, voc_object
from trainer.datasets.anchor_proposal import best_ious, cluster, propose
from trainer.plan import Plan
from trainer.recipe import Recipe

_LAYOUT = LAYOUTS["tf-ssd-300"]


def _poles(count: int) -> np.ndarray:
    """Thin upright objects, 0.05 x 0.4, anywhere: (count, 4) normalized."""
    low = np.random.default_rng(0).uniform(0, 1, (count, 2)) * (0.95, 0.6)
    return np.concatenate([low, low + np.array([0.05, 0.4])], axis=1)


def test_objects_that_the_usual_anchors_miss_are_reached_by_those_made_for_them():
    poles = _poles(300)
    assert (best_ious(poles, _LAYOUT) >= REACH).mean() < 0.05
    proposed = propose(poles, _LAYOUT)
    assert (best_ious(poles, proposed) >= REACH).mean() > 0.5
    assert proposed.boxes_per_cell == _LAYOUT.boxes_per_cell  # so that weights still fit
    assert replace(proposed, maps=_LAYOUT.maps) == _LAYOUT


def test_a_map_whose_cells_are_too_far_apart_for_the_objects_keeps_its_shapes():
    proposed = propose(_poles(300), _LAYOUT)
    assert proposed.maps[0] != _LAYOUT.maps[0] and proposed.maps[1:] == _LAYOUT.maps[1:]
    large = np.tile([0.05, 0.1, 0.95, 0.85], (100, 1))
    assert [a != b for a, b in zip(propose(large, _LAYOUT).maps, _LAYOUT.maps)] == [False] * 3 + [True] + [
        False
    ] * 2


def test_a_few_objects_change_nothing():
    assert propose(_poles(4), _LAYOUT) == _LAYOUT
    assert propose(_poles(0), _LAYOUT) == _LAYOUT


def test_clusters_are_the_kinds_there_are():
    kinds = np.array([[0.1, 0.1], [0.5, 0.1], [0.1, 0.5]])
    noise = np.random.default_rng(1).normal(1, 0.05, (90, 2))
    found = cluster(np.repeat(kinds, 30, axis=0) * noise, 3)
    np.testing.assert_allclose(found[np.lexsort(found.round(1).T)], kinds[np.lexsort(kinds.T)], rtol=0.1)


def test_check_shows_them_beside_the_usual_ones_and_train_puts_them_on_the_card(tmp_path, capsys):
    for number, (x1, y1, x2, y2) in enumerate(np.rint(_poles(60) * (80, 60, 80, 60)).astype(int).tolist()):
        voc_file(tmp_path / "photos", f"p{number}", voc_object("pole", x1 + 1, y1 + 1, max(x2, x1 + 3), y2))
    file = tmp_path / "anchors.json"
    assert main.main(["dataset", "check", str(tmp_path / "photos"), "--anchors", str(file)]) == 0
    said = capsys.readouterr().out
    assert "made for these objects" in said and "proposed: 0." in said
    layout = AnchorLayout.from_json(json.loads(file.read_text()))
    assert layout.maps[0].shapes != _LAYOUT.maps[0].shapes
    plan = Plan(data="photos", name="poles", recipe=Recipe(), anchors=layout)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan

    from trainer.trainee import card_for

    assert card_for(plan, ("pole",)).anchors == layout


@pytest.fixture
def start(tmp_path) -> str:
    """A model to start from."""
    from detector.networks.catalog import new_card

    card = new_card("ssd300-mobilenet-v1", name="old", classes=["pole"])
    (tmp_path / "old.json").write_text(json.dumps(card.to_json()))
    return str(tmp_path / "old.json")


def test_what_starts_from_a_model_may_take_larger_pictures(start: str):
    from detector.networks.catalog import build_network
    from trainer.trainee import card_for

    plan = Plan(data="x", name="y", recipe=Recipe(), start_from=start, input_size=(384, 320))
    card = card_for(plan, ("pole",))
    assert card.anchors.map_shapes[:2] == ((24, 20), (12, 10))
    assert [each.shapes for each in card.anchors.maps] == [each.shapes for each in _LAYOUT.maps]
    assert build_network(card).output["offsets"].shape == (None, card.anchors.count, 4)


def test_anchors_of_another_number_of_maps_are_refused(start: str):
    from trainer.trainee import card_for

    plan = Plan(data="x", name="y", recipe=Recipe(), start_from=start, anchors=LAYOUTS["ssd512-voc"])
    with pytest.raises(TrainingError, match="do not fit 'old'"):
        card_for(plan, ("pole",))
    fitting = propose(_poles(300), _LAYOUT)
    assert card_for(replace(plan, anchors=fitting), ("pole",)).anchors == fitting


def test_a_file_that_holds_no_anchors_is_said(tmp_path, capsys):
    (tmp_path / "a.json").write_text("{}")
    assert main.main(["train", "--data", str(tmp_path), "--anchors", str(tmp_path / "a.json")]) == 2
    assert "'dataset check --anchors' writes such a file" in capsys.readouterr().err
