"""`python main.py dataset ...` as a person types it."""

import json

import cv2
import pytest

import main
from tests.trainer.pictures import voc_file, voc_list, voc_object


@pytest.fixture
def photos(tmp_path):
    """Two good pictures, one with a point-sized box, in two splits."""
    folder = tmp_path / "photos"
    voc_file(folder, "a", voc_object("cat", 1, 1, 30, 20), voc_object("dog", 9, 9, 9, 9))
    voc_file(folder, "b", voc_object("dog", 11, 6, 40, 25))
    voc_list(folder, "train", "a")
    voc_list(folder, "val", "b")
    return folder


def run(*arguments) -> int:
    return main.main(["dataset", *map(str, arguments)])


def test_check_counts_what_is_there_and_names_what_is_wrong(photos, tmp_path, capsys):
    assert run("check", photos, "--json", tmp_path / "found.json") == 0
    printed = capsys.readouterr()
    assert "pictures: train 1, val 1" in printed.out
    assert "0 errors, 2 warnings" in printed.out
    assert "warning: a.xml, object 2: 'dog' has no width or no height: 9, 9, 9, 9." in printed.err
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["classes"]["dog"]["objects"] == {"train": 0, "val": 1}
    assert {flaw["kind"] for flaw in found["flaws"]} == {"point-sized", "near-identical"}


def test_check_ends_with_1_when_training_would_refuse(photos, capsys):
    (photos / "JPEGImages" / "b.jpg").unlink()
    assert run("check", photos) == 1
    assert "error: b.xml: its picture" in capsys.readouterr().err


def test_a_corrected_copy_passes_the_check(photos, tmp_path, capsys):
    (photos / "JPEGImages" / "b.jpg").unlink()
    assert run("check", photos, "--fix", tmp_path / "good") == 0
    assert "left out: 1 point-sized, 1 missing picture" in capsys.readouterr().err
    assert run("check", tmp_path / "good") == 0
    assert "0 errors, 0 warnings" in capsys.readouterr().out


def test_convert_and_split_write_new_folders(photos, tmp_path, capsys):
    assert run("convert", photos, tmp_path / "coco", "--to", "coco", "--classes", "dog,cat=pet") == 0
    categories = json.loads((tmp_path / "coco/annotations/instances_train.json").read_text())["categories"]
    assert [each["name"] for each in categories] == ["dog", "pet"]
    assert run("split", photos, tmp_path / "two", "--into", "one=1,other=1", "--to", "csv") == 0
    assert (tmp_path / "two" / "one.csv").is_file()
    assert run("split", photos, tmp_path / "two") == 1
    assert "exists already and is not empty" in capsys.readouterr().err


def test_preview_writes_a_picture_and_overwrites_only_when_told(photos, tmp_path, capsys):
    out = tmp_path / "sheet.png"
    assert run("preview", photos, out, "--split", "val") == 0
    assert cv2.imread(str(out)).shape == (320, 320, 3)
    assert run("preview", photos, out) == 2
    assert "--force replaces it" in capsys.readouterr().err
    assert run("preview", photos, out, "--force", "--augmented", "satellite") == 0
    assert run("preview", photos, tmp_path / "new" / "sheet.png") == 0
    assert (tmp_path / "new" / "sheet.png").is_file()


def test_what_cannot_be_written_is_a_sentence(photos, tmp_path, capsys):
    (tmp_path / "file").touch()
    for arguments in (["preview", photos, tmp_path / "file" / "sheet.png"],
                      ["check", photos, "--json", tmp_path / "file" / "found.json"]):  # fmt: skip
        assert run(*arguments) == 1
        assert capsys.readouterr().err.endswith("; choose another folder.\n")


def test_a_wrong_value_ends_with_2_and_a_sentence(photos, tmp_path, capsys):
    assert run("split", photos, tmp_path / "new", "--into", "train") == 2
    assert capsys.readouterr().err == (
        "error: --into: 'train' is not NAME=SHARE with a share above 0, each name once.\n"
    )


@pytest.mark.parametrize(
    ("action", "option", "value", "smallest"),
    [
        ("split", "--seed", "-1", 0),
        ("preview", "--seed", "-1", 0),
        ("preview", "--count", "0", 1),
        ("preview", "--count", "-3", 1),
        ("preview", "--count", "many", 1),
    ],
)
def test_a_number_that_cannot_be_meant_ends_with_2_and_a_sentence(
    photos, tmp_path, capsys, action, option, value, smallest
):
    with pytest.raises(SystemExit) as ended:
        run(action, photos, tmp_path / "new.png", option, value)
    assert ended.value.code == 2
    sentence = f"argument {option}: '{value}' is not a whole number of {smallest} or more\n"
    assert capsys.readouterr().err.endswith(sentence)
