"""`python main.py explain ...` as a person types it, with a real model on a real photograph."""

import shutil

import cv2
import pytest

import main
from detector.importers import import_file
from detector.model_store import save_model


@pytest.fixture(scope="module")
def coco(shared, tmp_path_factory):
    imported = import_file(shared / "models" / "coco_ssd_mobilenet_v1_quant.tflite", name="coco")
    model = save_model(imported.card, imported.weights, folder=tmp_path_factory.mktemp("models"))
    return str(model.card_path)


@pytest.fixture
def photos(shared, tmp_path):
    """A labelled folder of one picture: a cat."""
    for place, name in (("JPEGImages", "000053.jpg"), ("Annotations", "000053.xml")):
        (tmp_path / "photos" / place).mkdir(parents=True)
        shutil.copy(shared / "data" / "voc2007" / place / name, tmp_path / "photos" / place)
    return tmp_path / "photos"


def test_explain_writes_the_picture_beside_what_spoke_for_the_box(photos, coco, tmp_path, capsys):
    out = tmp_path / "why.png"
    arguments = ["explain", str(photos / "JPEGImages" / "000053.jpg"), "--model", coco, "--out", str(out)]
    assert main.main([*arguments, "--class", "cat"]) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("*  1  cat 0.6")
    sheet = cv2.imread(str(out))
    half = sheet.shape[1] // 2
    assert sheet.shape[1] > 840 and (sheet[:200, :half] != sheet[:200, -half:]).any()
    assert main.main(arguments) == 2
    assert "--force replaces it" in capsys.readouterr().err
    assert main.main([*arguments, "--force", "--box", "9"]) == 2
    assert "There is no box 9: the picture has boxes 1 to" in capsys.readouterr().err
    assert main.main([*arguments, "--force", "--class", "cta"]) == 2
    assert "did you mean 'cat'" in capsys.readouterr().err


def test_explain_anchors_draws_those_behind_the_box_those_of_each_map_and_those_of_each_object(
    photos, coco, tmp_path
):
    picture, out = str(photos / "JPEGImages" / "000053.jpg"), tmp_path / "anchors.png"
    arguments = ["explain", "--anchors", picture, "--model", coco, "--out", str(out)]
    assert main.main(arguments) == 0
    without = cv2.imread(str(out))
    assert main.main([*arguments, "--data", str(photos), "--force"]) == 0
    # two for the box, six maps; then the cat that is labelled takes the place that was white
    corner = (slice(-200, -60), slice(-300, -60))
    assert without[corner].mean() == 255 > cv2.imread(str(out))[corner].mean()
    assert main.main(["explain", picture, "--data", str(photos), "--model", coco, "--out", "x.png"]) == 2
