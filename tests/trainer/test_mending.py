"""Corrected copies of a dataset: what is mended, what is kept, and what is said of both."""

import numpy as np
import pytest

from tests.trainer.pictures import picture, voc_file, voc_object
from tests.trainer.test_formats import coco_file
from trainer.datasets import open_dataset
from trainer.datasets.divide import divide
from trainer.datasets.writing import convert, fix


def test_a_corrected_copy_has_no_flaws_left(tmp_path):
    old = tmp_path / "old"
    cats = ((30, 20, 11, 6), (20, 10, 20, 10), (90, 10, 99, 20), (70, 10, 99, 20), (1, 1, 9, 9), (1, 1, 9, 9))
    voc_file(old, "a", *(voc_object("cat", *corners) for corners in cats))
    voc_file(old, "b", voc_object("cat", 1, 1, 9, 9))
    (old / "JPEGImages" / "b.jpg").unlink()
    voc_file(old, "c", voc_object("cat", 1, 1, 9, 9))
    cut = old / "JPEGImages" / "c.jpg"
    cut.write_bytes(cut.read_bytes()[:-200])
    written = fix(old, tmp_path / "new")
    assert sorted(flaw.kind for flaw in written.flaws) == [
        "missing picture",
        "outside",
        "point-sized",
        "unreadable picture",
    ]
    assert written.notes[1:] == (
        "objects mended: 1 with corners swapped, 1 cut at the edge, 1 dropped as repeated",
    )
    dataset = open_dataset(tmp_path / "new")
    assert not dataset.flaws
    assert dataset.examples[0].boxes.tolist() == [[10, 5, 30, 20], [69, 9, 80, 20], [0, 0, 9, 9]]


def test_a_corrected_copy_has_boxes_scaled_from_the_size_at_which_a_picture_was_labelled(tmp_path):
    """The second cat is three pixels wide and one and a half in the picture; the third is a click."""
    cats = ((21, 11, 80, 50), (1, 1, 3, 30), (9, 9, 9, 9))
    voc_file(tmp_path / "old", "a", *(voc_object("cat", *corners) for corners in cats), size=(120, 160))
    written = fix(tmp_path / "old", tmp_path / "new")
    assert written.notes == (
        "left out: 1 point-sized",
        "boxes scaled, as the labels state another size of a.jpg",
    )
    dataset = open_dataset(tmp_path / "new")
    assert not dataset.flaws
    assert dataset.examples[0].boxes.tolist() == [[10, 5, 40, 25], [0, 0, 1.5, 15]]


def test_boxes_are_scaled_to_the_picture_as_stored_or_upright_whichever_has_their_shape(tmp_path):
    picture(tmp_path / "old" / "JPEGImages" / "a.jpg", orientation=6)
    voc_file(tmp_path / "old", "a", voc_object("cat", 71, 21, 110, 80), size=(160, 120))
    fix(tmp_path / "old", tmp_path / "new")
    (example,) = open_dataset(tmp_path / "new").examples
    assert (example.height, example.width) == (80, 60)
    assert example.boxes.tolist() == [[35, 10, 55, 40]]


def test_the_area_of_an_outline_is_scaled_with_its_box(tmp_path):
    file = coco_file(tmp_path, [{"image_id": 7, "category_id": 3, "bbox": [20, 10, 60, 40], "area": 800}])
    file.write_text(file.read_text().replace('"height": 60, "width": 80', '"height": 120, "width": 160'))
    fix(tmp_path, tmp_path / "new")
    (example,) = open_dataset(tmp_path / "new").examples
    assert (example.boxes.tolist(), example.areas.tolist()) == ([[10, 5, 40, 25]], [200])


@pytest.mark.parametrize("size", [(30, 40), (120, 100)], ids=["boxes beyond it", "another shape"])
def test_boxes_are_kept_and_the_picture_named_where_the_stated_size_tells_nothing(tmp_path, size):
    voc_file(tmp_path / "old", "a", voc_object("cat", 11, 6, 60, 25), size=size)
    note = "boxes kept as they were, though the labels state another size of a.jpg"
    assert fix(tmp_path / "old", tmp_path / "fixed").notes == (note,)
    assert convert(tmp_path / "old", tmp_path / "converted", format="voc").notes == (note,)
    assert note in divide(tmp_path / "old", tmp_path / "divided", shares={"train": 1}).notes
    (example,) = open_dataset(tmp_path / "fixed").examples
    assert example.boxes.tolist() == [[10, 5, 60, 25]]


def test_a_note_names_some_of_many_pictures(tmp_path):
    for number in range(7):
        voc_file(tmp_path / "old", f"{number}", voc_object("cat", 11, 6, 40, 25), size=(120, 160))
    (note,) = convert(tmp_path / "old", tmp_path / "new", format="coco").notes
    assert note.endswith("another size of 0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg and 2 more")


def test_a_turned_picture_is_upright_for_good_in_a_copy(tmp_path):
    picture(tmp_path / "old" / "JPEGImages" / "a.jpg", orientation=6)
    voc_file(tmp_path / "old", "a", voc_object("red", 11, 6, 40, 25))
    (before,) = open_dataset(tmp_path / "old").examples
    convert(tmp_path / "old", tmp_path / "new", format="yolo")
    (after,) = open_dataset(tmp_path / "new").examples
    assert b"Exif" not in after.path.read_bytes()
    assert (after.height, after.width) == (before.height, before.width) == (80, 60)
    np.testing.assert_array_equal(after.boxes, before.boxes)
