"""What is found in labelled photographs before training, new divisions of them, and sheets to look at."""

from collections import Counter

import cv2
import numpy as np
import pytest

from detector.anchor_layouts import LAYOUTS
from detector.errors import DatasetError, OptionError
from detector.pictures import read_picture
from tests.trainer.pictures import picture, voc_file, voc_list, voc_object
from trainer.datasets import open_dataset
from trainer.datasets.check import check
from trainer.datasets.divide import divide, parse_shares
from trainer.datasets.likeness import alike, fingerprint
from trainer.datasets.preview import as_augmented, choose, preview
from trainer.datasets.writing import fix

LAYOUT = LAYOUTS["tf-ssd-300"]


def photograph(path, seed: int) -> None:
    """Blurred noise: no two seeds look alike."""
    noise = np.random.default_rng(seed).integers(0, 256, (12, 16, 3)).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.resize(noise, (80, 60), interpolation=cv2.INTER_CUBIC))


def test_a_picture_that_is_in_train_and_val_in_another_size_is_found(tmp_path):
    for seed, stem in enumerate("abcd"):
        photograph(tmp_path / "JPEGImages" / f"{stem}.jpg", seed)
        voc_file(tmp_path, stem, voc_object("cat", 1, 1, 30, 20))
    small = cv2.resize(read_picture(tmp_path / "JPEGImages" / "b.jpg"), (40, 30))
    cv2.imwrite(str(tmp_path / "JPEGImages" / "d.jpg"), small, [cv2.IMWRITE_JPEG_QUALITY, 40])
    for split, stems in {"train": "ab", "val": "cd", "trainval": "abcd"}.items():
        voc_list(tmp_path, split, *stems)
    flaws = [flaw for flaw in check(tmp_path, layout=LAYOUT).flaws if flaw.kind == "near-identical"]
    assert len(flaws) == 1
    assert str(flaws[0]).startswith(
        "d.jpg: is nearly the same picture as b.jpg of 'train', so 'val' measures"
    )


def test_a_val_that_is_all_in_train_is_found(tmp_path):
    for seed, stem in enumerate("ab"):
        photograph(tmp_path / "JPEGImages" / f"{stem}.jpg", seed)
        voc_file(tmp_path, stem, voc_object("cat", 1, 1, 30, 20))
    voc_list(tmp_path, "train", "a", "b")
    voc_list(tmp_path, "val", "a")
    assert [flaw.kind for flaw in check(tmp_path, layout=LAYOUT).flaws] == ["near-identical"]


def test_pictures_of_one_colour_are_like_no_other():
    grey, white = np.full((60, 80, 3), 128, np.uint8), np.full((60, 80, 3), 255, np.uint8)
    assert not list(alike([fingerprint(grey)], [fingerprint(white), fingerprint(grey)]))


def test_two_photographs_of_one_slide_are_found_in_the_blood_cells(shared):
    report = check(shared / "data" / "bccd", layout=LAYOUT)
    twins = [str(flaw).split(":")[0] for flaw in report.flaws if flaw.kind == "near-identical"]
    assert twins == ["BloodImage_00037.jpg"]
    assert not report.errors
    by_name = {each.name: each for each in report.classes}
    assert by_name["RBC"].objects == {"train": 2381, "val": 967, "trainval": 3348, "test": 805}


def test_pictures_of_which_only_the_header_is_whole_are_named(tmp_path):
    voc_file(tmp_path, "whole")
    voc_file(tmp_path, "cut")
    cut = tmp_path / "JPEGImages" / "cut.jpg"
    cut.write_bytes(cut.read_bytes()[:-200])
    assert len(open_dataset(tmp_path)) == 2
    (error,) = check(tmp_path, layout=LAYOUT).errors
    assert str(error).startswith("cut.jpg: cannot be used: ")


def test_a_folder_in_which_no_picture_is_left_is_an_error(tmp_path):
    for name, content in (("rows", "picture,x1,y1,x2,y2,class\n"), ("nothing", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "all.csv").write_text(content)
    (error,) = check(tmp_path / "rows", layout=LAYOUT).errors
    assert str(error) == "rows: holds no picture whose labels can be used. Add pictures beside their labels."
    with pytest.raises(DatasetError, match="there is nothing to correct"):
        fix(tmp_path / "rows", tmp_path / "new")
    with pytest.raises(DatasetError, match="holds no labels"):
        check(tmp_path / "nothing", layout=LAYOUT)


def test_objects_that_no_anchor_overlaps_by_half_are_counted(tmp_path):
    voc_file(tmp_path, "a", voc_object("cat", 1, 1, 80, 60), voc_object("cat", 41, 31, 43, 33))
    (cat,) = check(tmp_path, layout=LAYOUT).classes
    assert cat.without_anchor == 1
    assert cat.sides is not None
    assert cat.sides[1] == pytest.approx((1 + 3 / np.sqrt(80 * 60)) / 2)


def test_a_division_gives_every_part_its_share_of_every_class_and_keeps_twins_together(tmp_path):
    """60 pictures: the even ones differ, each odd one is the same as the one before it."""
    old = tmp_path / "old"
    random = np.random.default_rng(5)
    for number in range(60):
        stem = f"{number:03}"
        photograph(old / "JPEGImages" / f"{stem}.jpg", number // 2)
        names = ["common"] * int(random.integers(1, 4)) + ["rare"] * (number % 6 == 0)
        voc_file(old, stem, *(voc_object(name, 1, 1, 30, 20 + k) for k, name in enumerate(names)))
    shares = {"train": 0.6, "val": 0.2, "test": 0.2}
    divide(old, tmp_path / "new", shares=shares, seed=1)
    parts = {split: open_dataset(tmp_path / "new", split=split) for split in shares}
    stems = {split: {example.path.stem for example in part.examples} for split, part in parts.items()}
    assert sum(map(len, stems.values())) == 60
    counts = {s: Counter(c for e in part.examples for c in e.class_ids.tolist()) for s, part in parts.items()}
    everything = sum(counts.values(), Counter())
    for split, share in shares.items():
        for class_id, count in everything.items():
            assert counts[split][class_id] == pytest.approx(share * count, abs=4)
    for first in range(0, 60, 2):
        assert any({f"{first:03}", f"{first + 1:03}"} <= each for each in stems.values())


def test_the_same_seed_gives_the_same_division(tmp_path):
    for number in range(12):
        photograph(tmp_path / "old" / "JPEGImages" / f"{number:03}.jpg", number)
        voc_file(tmp_path / "old", f"{number:03}", voc_object("cat", 1, 1, 30, 20))
    found = []
    for place, seed in (("a", 1), ("b", 1), ("c", 2)):
        divide(tmp_path / "old", tmp_path / place, shares={"train": 1, "val": 1}, seed=seed)
        found.append((tmp_path / place / "ImageSets" / "Main" / "val.txt").read_text())
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(
    "text", ["train", "train=", "train=0", "train=-1", "train=1,train=2", "train=nan", ""]
)
def test_shares_that_cannot_be_meant_are_refused(text):
    with pytest.raises(OptionError, match="is not NAME=SHARE"):
        parse_shares(text)


def test_a_sheet_shows_every_class_before_one_twice(tmp_path):
    for number in range(8):
        voc_file(tmp_path, f"{number}", voc_object("common", 1, 1, 30, 20))
    voc_file(tmp_path, "rare", voc_object("rare", 1, 1, 30, 20))
    voc_file(tmp_path, "empty")
    dataset = open_dataset(tmp_path)
    chosen = choose(dataset.examples, 2, seed=0)
    assert sorted(dataset.labels[int(e.class_ids[0])] for e in chosen) == ["common", "rare"]
    assert len(choose(dataset.examples, 99, seed=0)) == 10


def test_a_sheet_shows_the_boxes_on_the_pictures(tmp_path):
    picture(tmp_path / "JPEGImages" / "a.jpg")
    voc_file(tmp_path, "a", voc_object("red", 11, 6, 40, 25))
    dataset = open_dataset(tmp_path)
    pixels = preview(dataset.examples, dataset.labels, columns=4)
    assert pixels.shape == (320, 320, 3)
    # 80 x 60 becomes 320 x 240, 40 rows lower; the box's left edge lies at 4 * 10.
    assert pixels[40 + 4 * 20, 40].tolist() == [0x00, 0x9F, 0xE6]
    view = as_augmented("original", height=300, width=300, seed=4)
    assert preview(dataset.examples, dataset.labels, view=view).shape == (320, 320, 3)
