"""What is learnt of a folder, and what it is chosen by: never the pictures that are to judge."""

import json
from pathlib import Path

import pytest

from detector.errors import DatasetError
from tests.trainer.pictures import picture, voc_file, voc_list, voc_object
from trainer.plan import Division, Plan, divide
from trainer.recipe import Recipe


def _voc(folder: Path, **lists: str) -> Path:
    """A picture for each letter; a list for each word of letters."""
    for stem in sorted(set("".join(lists.values()))):
        voc_file(folder, stem, voc_object("cat", 11, 6, 40, 25))
    for name, stems in lists.items():
        voc_list(folder, name, *stems)
    return folder


def _coco(folder: Path, **lists: str) -> Path:
    (folder / "annotations").mkdir(parents=True)
    for name, stems in lists.items():
        images = [
            {
                "id": number,
                "file_name": picture(folder / name / f"{stem}.jpg").name,
                "height": 60,
                "width": 80,
            }
            for number, stem in enumerate(stems)
        ]
        boxes = [
            {"id": number, "image_id": number, "category_id": 1, "bbox": [10, 5, 30, 20]}
            for number in range(len(stems))
        ]
        content = {
            "images": images,
            "annotations": boxes,
            "categories": [{"id": 1, "name": "cat"}],
        }
        (folder / "annotations" / f"instances_{name}.json").write_text(json.dumps(content))
    return folder


def _divide(folder: Path, **splits: str) -> Division:
    return divide(Plan(data=str(folder), name="cats", recipe=Recipe(), **splits))


def _stems(division: Division) -> tuple[str, str]:
    """The pictures that are learnt, and those that choose."""
    parts = (division.examples, division.validation)
    learnt, chosen = ("".join(sorted(each.path.stem for each in part)) for part in parts)
    return learnt, chosen


def test_lists_of_coco_are_known_with_their_year(tmp_path: Path) -> None:
    division = _divide(_coco(tmp_path, train2017="abcdefgh", val2017="ij", test2017="k"))
    assert _stems(division) == ("abcdefgh", "ij")
    assert division.sentence == "8 pictures to learn from, 2 of 'val2017' to choose by."


def test_a_second_list_to_learn_from_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    folder = _coco(tmp_path, train2014="abcd", train2017="efgh", val2017="ij")
    division = _divide(folder)
    assert _stems(division) == ("abcd", "ij")
    assert division.sentence.endswith("Not learnt: 'train2017'; --train-split NAME chooses another list.")
    assert "Not learnt" not in _divide(folder, train_split="train2017").sentence


@pytest.mark.parametrize(("train", "val"), [("training", "validation"), ("train", "valid")])
def test_lists_are_known_by_every_name_that_means_the_same(tmp_path: Path, train: str, val: str) -> None:
    assert _stems(_divide(_voc(tmp_path, **{train: "abcd", val: "ef", "testing": "g"}))) == ("abcd", "ef")


@pytest.mark.parametrize(
    "lists",
    [{"val": "ab", "test": "cd"}, {"test2007": "abcd"}, {"valid": "ab"}, {"north": "ab", "south": "cd"}],
)
def test_without_a_list_to_learn_from_a_person_is_asked(tmp_path: Path, lists: dict[str, str]) -> None:
    folder = _voc(tmp_path, **lists)
    with pytest.raises(DatasetError, match="none of its lists") as refusal:
        _divide(folder)
    assert all(name in str(refusal.value) for name in (*lists, "--train-split"))
    first, stems = next(iter(lists.items()))
    learnt, _ = _stems(_divide(folder, train_split=first))
    assert set(learnt) <= set(stems)


def test_pictures_to_choose_by_are_not_learnt_though_the_list_holds_them(tmp_path: Path) -> None:
    division = _divide(_voc(tmp_path, trainval="abcdef", val="ef", test="gh"))
    assert _stems(division) == ("abcd", "ef")
    assert "2 of 'trainval' are in 'val' too and are not learnt." in division.sentence


def test_two_lists_of_the_same_pictures_are_learnt_but_not_without_a_word(tmp_path: Path) -> None:
    division = _divide(_voc(tmp_path, train="abcd", val="abcd"))
    assert _stems(division) == ("abcd", "abcd")
    assert "All that is learnt is in 'val' too" in division.sentence


def test_without_a_list_to_choose_by_some_of_those_to_learn_from_are_held_out(tmp_path: Path) -> None:
    division = _divide(_voc(tmp_path, train="abcdefg", test="hij"))
    learnt, chosen = _stems(division)
    assert len(chosen) == 1 and sorted(learnt + chosen) == list("abcdefg")
    assert division.sentence == "6 pictures to learn from, 1 held out to choose by."


def test_too_few_pictures_to_hold_some_out_choose_as_well_but_not_without_a_word(tmp_path: Path) -> None:
    division = _divide(_voc(tmp_path, train="abc"))
    assert _stems(division) == ("abc", "abc")
    assert "too few to choose by others: figures will be better than they should." in division.sentence


def test_without_lists_all_of_the_folder_is_divided(tmp_path: Path) -> None:
    learnt, chosen = _stems(_divide(_voc(tmp_path, **{"train": "abcdefg"})))
    (tmp_path / "ImageSets" / "Main" / "train.txt").unlink()
    assert _stems(_divide(tmp_path)) == (learnt, chosen)


def test_a_folder_without_a_class_is_said(tmp_path: Path) -> None:
    voc_file(tmp_path, "a")
    with pytest.raises(DatasetError, match="there is nothing to learn"):
        _divide(tmp_path)
