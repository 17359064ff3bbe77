"""PASCAL VOC folders become examples that can be trusted."""

import numpy as np
import pytest

from detector.errors import DatasetError
from detector.pictures import read_picture
from tests.trainer.pictures import picture, voc_file, voc_list, voc_object
from trainer.datasets import open_dataset, survey


def kinds(dataset) -> list[tuple[str, int | None]]:
    return [(flaw.kind, flaw.object_number) for flaw in dataset.flaws]


def test_corner_pixels_belong_to_the_box(tmp_path):
    voc_file(tmp_path, "a", voc_object("cat", 1, 1, 3, 2), voc_object("dog", 11, 6, 40, 25, difficult=1))
    (example,) = open_dataset(tmp_path).examples
    assert example.boxes.tolist() == [[0, 0, 3, 2], [10, 5, 40, 25]]
    assert example.areas.tolist() == [6, 600]
    assert example.class_ids.tolist() == [0, 1]
    assert example.difficult.tolist() == [False, True]
    assert (example.height, example.width) == (60, 80)


def test_names_of_owners_and_parts_are_not_objects(tmp_path):
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    cat = voc_object("cat", 1, 1, 30, 20).replace("</object>", f"{part}</object>")
    voc_file(tmp_path, "a", cat)
    dataset = open_dataset(tmp_path)
    assert dataset.labels.names == ("cat",)
    assert len(dataset.examples[0]) == 1


def test_every_split_has_the_class_ids_of_the_whole_folder(tmp_path):
    voc_file(tmp_path, "a", voc_object("dog", 1, 1, 30, 20))
    voc_file(tmp_path, "b", voc_object("cat", 1, 1, 30, 20))
    voc_list(tmp_path, "train", "a")
    voc_list(tmp_path, "val", "b")
    train, val = open_dataset(tmp_path, split="train"), open_dataset(tmp_path, split="val")
    assert train.labels.names == val.labels.names == ("cat", "dog")
    assert train.examples[0].class_ids.tolist() == [1]
    assert val.examples[0].class_ids.tolist() == [0]


def test_a_folder_without_lists_and_folders_for_each_split_are_read_too(tmp_path):
    flat = tmp_path / "flat"
    voc_file(flat, "a", voc_object("cat", 1, 1, 30, 20)).rename(flat / "JPEGImages" / "a.xml")
    assert len(open_dataset(flat / "JPEGImages")) == 1
    divided = tmp_path / "divided"
    for split in ("train", "valid"):
        voc_file(divided / split, split, voc_object("cat", 1, 1, 30, 20))
    assert [e.path.stem for e in open_dataset(divided, split="val").examples] == ["valid"]
    assert len(open_dataset(divided)) == 2


def test_a_picture_without_objects_is_a_good_example(tmp_path):
    voc_file(tmp_path, "a")
    voc_file(tmp_path, "b", voc_object("cat", 1, 1, 30, 20))
    assert [len(example) for example in open_dataset(tmp_path).examples] == [0, 1]


def test_boxes_that_cannot_be_meant_are_left_out_and_named(tmp_path):
    voc_file(
        tmp_path,
        "a",
        voc_object("cat", 20, 10, 20, 10),
        voc_object("cat", 30, 10, 20, 20),
        voc_object("cat", 90, 10, 99, 20),
        voc_object("cat", 70, 10, 99, 20),
        voc_object("cat", 1, 1, 30, 20),
        voc_object("cat", 1, 1, 30, 20),
    )
    dataset = open_dataset(tmp_path)
    expected = [("point-sized", 1), ("reversed", 2), ("outside", 3), ("overhanging", 4), ("duplicate", 6)]
    assert kinds(dataset) == expected
    assert dataset.examples[0].boxes.tolist() == [[69, 9, 80, 20], [0, 0, 30, 20], [0, 0, 30, 20]]
    assert dataset.left_out() == "1 point-sized, 1 reversed, 1 outside"
    sentence = str(dataset.flaws[1])
    assert sentence.startswith("a.xml, object 2: 'cat' has its corners the wrong way round: 30, 10, 20, 20.")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<annotation><object>", "a.xml: is not XML that can be read"),
        (voc_object("", 1, 1, 2, 2), "a.xml, object 2: has no <name>"),
        ("<object><name>cat</name></object>", "a.xml, object 2: 'cat' has no <bndbox>"),
        (voc_object("cat", 1, "one", 2, 2), "a.xml, object 2: 'cat' has <ymin> 'one', which is not a number"),
        (voc_object("cat", 1, 1, "nan", 2), "a.xml, object 2: 'cat' has <xmax> 'nan', which is not a number"),
    ],
)
def test_a_bad_label_file_yields_a_sentence_with_file_and_object(tmp_path, text, sentence):
    path = voc_file(tmp_path, "a", voc_object("cat", 1, 1, 30, 20), text)
    if text.startswith("<annotation>"):
        path.write_text(text)
    with pytest.raises(DatasetError) as caught:
        open_dataset(tmp_path)
    assert str(caught.value).startswith(sentence)


def test_a_missing_or_damaged_picture_and_a_class_that_is_not_listed_are_errors(tmp_path):
    voc_file(tmp_path, "a", voc_object("cat", 1, 1, 30, 20))
    (tmp_path / "JPEGImages" / "a.jpg").unlink()
    voc_file(tmp_path, "b", voc_object("hlmet", 1, 1, 30, 20))
    voc_file(tmp_path, "c")
    (tmp_path / "JPEGImages" / "c.jpg").write_bytes(b"no picture")
    (tmp_path / "labels.txt").write_text("cat\nhelmet\n")
    voc_list(tmp_path, "all", "a", "b", "c", "d")
    dataset = survey(tmp_path, split="all")
    assert [flaw.kind for flaw in dataset.errors] == [
        "missing picture", "unknown class", "unreadable picture", "missing label",
    ]  # fmt: skip
    with pytest.raises(DatasetError, match=r"a\.xml: its picture .* does not exist.*3 more like this"):
        open_dataset(tmp_path, split="all")
    assert "class 'hlmet' is none of the dataset's (cat, helmet)" in str(dataset.errors[1])


def test_a_size_that_differs_from_the_picture_is_named(tmp_path):
    voc_file(tmp_path, "a", voc_object("cat", 1, 1, 30, 20), size=(600, 800))
    (flaw,) = open_dataset(tmp_path).flaws
    assert str(flaw).startswith("a.xml: the labels say 800 x 600 pixels, a.jpg has 80 x 60")


def test_a_split_that_is_not_there_is_answered_with_the_nearest(tmp_path):
    voc_file(tmp_path, "a", voc_object("cat", 1, 1, 30, 20))
    voc_list(tmp_path, "trainval", "a")
    with pytest.raises(DatasetError, match="did you mean 'trainval'"):
        open_dataset(tmp_path, split="trainvl")


def test_classes_are_chosen_renamed_and_merged(tmp_path):
    names = ("person", "car", "truck", "tree")
    voc_file(tmp_path, "a", *(voc_object(name, 1, 1, 30, 20 + k) for k, name in enumerate(names)))
    dataset = open_dataset(tmp_path, classes="truck=vehicle,person,car=vehicle")
    assert dataset.labels.names == ("vehicle", "person")
    assert dataset.examples[0].class_ids.tolist() == [1, 0, 0]


# Half turns keep the size of a picture, so labels that were drawn after turning cannot be told from others.
@pytest.mark.parametrize(
    ("orientation", "drawn_on"),
    [(orientation, "stored") for orientation in range(1, 9)]
    + [(each, "upright") for each in (1, 5, 6, 7, 8)],
)
def test_boxes_turn_with_their_picture(tmp_path, orientation, drawn_on):
    path = picture(tmp_path / "JPEGImages" / "a.jpg", orientation=orientation)
    pixels = read_picture(path)
    rows, columns = np.nonzero(pixels[:, :, 2].astype(int) - pixels[:, :, 1] > 128)
    seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    size, corners = (60, 80), (11, 6, 40, 25)
    if drawn_on == "upright":
        size, corners = pixels.shape[:2], (seen[0] + 1, seen[1] + 1, seen[2], seen[3])
    voc_file(tmp_path, "a", voc_object("red", *corners), size=size)
    (example,) = open_dataset(tmp_path).examples
    assert (example.height, example.width) == pixels.shape[:2]
    # The picture is a JPEG: colour bleeds over the edge by a pixel or two.
    np.testing.assert_allclose(example.boxes[0], seen, atol=2)


def test_the_labels_cannot_tell_which_way_up_a_half_turned_picture_was_drawn(tmp_path):
    picture(tmp_path / "JPEGImages" / "a.jpg", orientation=3)
    voc_file(tmp_path, "a", voc_object("red", 11, 6, 40, 25))
    assert kinds(open_dataset(tmp_path)) == [("turned picture", None)]


def test_the_folders_given_hold_what_their_readme_says(shared):
    test = open_dataset(shared / "data" / "voc2007", split="test")
    assert len(test) == 600
    assert sum(map(len, test.examples)) == 1682
    assert sum(int(example.difficult.sum()) for example in test.examples) == 347
    assert test.labels.names[:2] == ("aeroplane", "bicycle")
    assert len(test.labels) == 20
    assert not test.flaws


def test_blood_cells_lose_their_two_points_and_nothing_else(shared):
    dataset = open_dataset(shared / "data" / "bccd")
    assert len(dataset) == 364
    assert [str(flaw).split(": '")[0] for flaw in dataset.flaws] == [
        "BloodImage_00338.xml, object 13",
        "BloodImage_00343.xml, object 4",
    ]
    assert sum(map(len, dataset.examples)) == 4155 + 372 + 361 - 2
