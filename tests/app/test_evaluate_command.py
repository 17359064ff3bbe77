"""`python main.py evaluate ...` as a person types it, with a real model on real photographs."""

import json
import shutil

import pytest

import main
from tests.trainer.pictures import voc_file, voc_object


@pytest.fixture
def photos(shared, tmp_path, coco_home, monkeypatch):
    """The first 24 test pictures of VOC 2007, in a folder of their own."""
    monkeypatch.setenv("SSD_STUDIO_HOME", str(coco_home))
    source, folder = shared / "data" / "voc2007", tmp_path / "photos"
    stems = (source / "ImageSets" / "Main" / "test.txt").read_text().split()[:24]
    for place, suffix in (("Annotations", ".xml"), ("JPEGImages", ".jpg")):
        (folder / place).mkdir(parents=True)
        for stem in stems:
            shutil.copy(source / place / (stem + suffix), folder / place)
    (folder / "ImageSets" / "Main").mkdir(parents=True)
    (folder / "ImageSets" / "Main" / "test.txt").write_text("\n".join(stems))
    return folder


def test_evaluate_writes_the_figures_and_a_page(photos, tmp_path, capsys):
    arguments = ["evaluate", "--model", "coco", "--data", str(photos), "--split", "test"]
    outputs = ["--json", str(tmp_path / "figures.json"), "--report", str(tmp_path / "report")]
    assert main.main([*arguments, *outputs]) == 0
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["images"] == 24
    assert len(figures["model_sha256"]) == 64
    # Names that differ between COCO and VOC were matched: what there is of them is not all missed.
    assert figures["per_class"]["person"]["voc07_ap"] > 0.5
    assert 0.5 < figures["voc07_map"] < 0.9
    assert figures["coco_ap"] < figures["coco_ap50"]
    assert f"VOC 2007 mAP {figures['voc07_map']:.4f}" in capsys.readouterr().out
    page = (tmp_path / "report" / "index.html").read_text()
    assert "<svg" in page and page.count('<figure class="pair">') > 20  # each mistake beside its heat map
    assert main.main([*arguments, *outputs]) == 2
    assert "--force replaces it" in capsys.readouterr().err


def test_two_models_are_compared_side_by_side(photos, tmp_path, capsys):
    json_file = tmp_path / "both.json"
    arguments = ["evaluate", "--compare", "coco", "coco", "--data", str(photos), "--classes", "person,chair"]
    assert main.main([*arguments, "--json", str(json_file)]) == 0
    written = json.loads(json_file.read_text())
    assert written["voc07_map"]["noise"] is True
    assert written["per_class"].keys() == {"person", "chair"}
    assert "noise" in capsys.readouterr().out


def test_a_class_the_model_does_not_know_is_said_and_an_alias_helps(photos, tmp_path, capsys):
    folder = tmp_path / "own"
    voc_file(folder, "a", voc_object("pedestrian", 11, 6, 40, 25))
    arguments = ["evaluate", "--model", "coco", "--data", str(folder)]
    assert main.main(arguments) == 1
    assert "The model knows none of the dataset's classes (pedestrian)" in capsys.readouterr().err
    assert main.main([*arguments, "--alias", "pedestrian=person"]) == 0
    assert main.main([*arguments, "--alias", "pedestrian"]) == 2
    assert "--alias 'pedestrian' cannot be read; write A=B." in capsys.readouterr().err


def test_a_misspelt_model_is_answered_with_the_nearest(photos, capsys):
    assert main.main(["evaluate", "--model", "cocco", "--data", str(photos)]) == 1
    assert "did you mean 'coco'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["--batch", "-2"], "'-2' is not a whole number of 1 or more"),
        (["--batch", "0"], "'0' is not a whole number of 1 or more"),
        (["--min-score", "7"], "'7' is not a number from 0 to 1"),
        (["--min-score", "nan"], "'nan' is not a number from 0 to 1"),
        (["--min-score", "much"], "'much' is not a number from 0 to 1"),
    ],
)
def test_numbers_that_cannot_be_meant_are_wrong_use(words, answer, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main.main(["evaluate", "--model", "coco", "--data", str(tmp_path), *words])
    assert end.value.code == 2
    assert answer in capsys.readouterr().err


def test_two_models_on_pictures_without_objects_are_answered_in_a_sentence(photos, tmp_path, capsys):
    folder = tmp_path / "empty"
    voc_file(folder, "a")
    (folder / "labels.txt").write_text("person")
    assert main.main(["evaluate", "--compare", "coco", "coco", "--data", str(folder)]) == 1
    assert "None of the pictures holds an object that counts" in capsys.readouterr().err
