"""Every format is recognised by looking at the folder and gives the same examples."""

import json

import numpy as np
import pytest

from detector.errors import DatasetError, OptionError
from detector.values import LabelMap
from tests.trainer.pictures import picture, voc_file, voc_list, voc_object
from trainer.datasets import Example, open_dataset, survey
from trainer.datasets.divide import divide
from trainer.datasets.opening import split_names
from trainer.datasets.writing import FORMATS, convert, write_dataset


def coco_file(
    folder, annotations, *, categories=("cat", "dog"), name="annotations.json", pictures=("a.jpg",)
):
    images = [{"id": 7 + k, "file_name": file, "height": 60, "width": 80} for k, file in enumerate(pictures)]
    listed = [{"id": 3 + 2 * k, "name": each} for k, each in enumerate(categories)]
    content = {"images": images, "annotations": annotations, "categories": listed}
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    for file in pictures:
        picture(folder / file)
    return path


def test_coco_boxes_are_corner_and_size_and_crowds_are_kept_apart(tmp_path):
    cat = {"image_id": 7, "category_id": 3, "bbox": [10, 5, 30, 20], "area": 400, "iscrowd": 0}
    dogs = {"image_id": 7, "category_id": 5, "bbox": [0.5, 1.5, 20, 30], "iscrowd": 1}
    coco_file(tmp_path, [cat, dogs])
    dataset = open_dataset(tmp_path)
    (example,) = dataset.examples
    assert dataset.format == "coco"
    assert dataset.labels.names == ("cat", "dog")
    assert example.boxes.tolist() == [[10, 5, 40, 25], [0.5, 1.5, 20.5, 31.5]]
    assert example.crowd.tolist() == [False, True]
    assert example.areas.tolist() == [400, 600]


def test_the_official_layout_of_coco_has_splits(tmp_path):
    cat = {"image_id": 7, "category_id": 3, "bbox": [10, 5, 30, 20]}
    coco_file(tmp_path, [cat], name="annotations/instances_train2017.json")
    coco_file(tmp_path, [], name="annotations/instances_val2017.json", pictures=("b.jpg",))
    (tmp_path / "annotations" / "captions_val2017.json").write_text('{"images": [], "annotations": []}')
    (tmp_path / "val2017").mkdir()
    (tmp_path / "b.jpg").rename(tmp_path / "val2017" / "b.jpg")
    val = open_dataset(tmp_path, split="val")
    assert val.split == "val2017"
    assert [example.path.parent.name for example in val.examples] == ["val2017"]
    assert val.labels.names == ("cat", "dog")
    assert len(open_dataset(tmp_path, split="train").examples[0]) == 1


def test_a_category_that_only_groups_others_is_no_class(tmp_path):
    path = coco_file(tmp_path, [{"image_id": 7, "category_id": 5, "bbox": [10, 5, 30, 20]}])
    content = json.loads(path.read_text())
    content["categories"] = [
        {"id": 0, "name": "pets", "supercategory": "none"},
        {"id": 5, "name": "dog", "supercategory": "pets"},
    ]
    path.write_text(json.dumps(content))
    assert open_dataset(tmp_path).labels.names == ("dog",)


@pytest.mark.parametrize(
    ("annotation", "sentence"),
    [
        (
            {"image_id": 7, "category_id": 4, "bbox": [1, 1, 9, 9]},
            "class 'category_id 4' is none of the dataset's",
        ),
        (
            {"image_id": 7, "category_id": 3, "bbox": [1, 1, 9]},
            "'cat' has bbox [1, 1, 9]; it needs four numbers",
        ),
        ({"image_id": 7, "category_id": 3}, "'cat' has bbox None"),
        ({"image_id": 8, "category_id": 3, "bbox": [1, 1, 9, 9]}, "belongs to image_id 8, which the list"),
    ],
)
def test_a_bad_coco_annotation_yields_a_sentence_with_file_and_object(tmp_path, annotation, sentence):
    coco_file(tmp_path, [{"image_id": 7, "category_id": 3, "bbox": [1, 1, 9, 9]}, annotation])
    with pytest.raises(DatasetError) as caught:
        open_dataset(tmp_path)
    assert str(caught.value).startswith("annotations.json, object 2")
    assert sentence in str(caught.value)


def test_broken_json_is_said_with_its_place(tmp_path):
    path = coco_file(tmp_path, [])
    path.write_text(path.read_text()[:-3])
    with pytest.raises(DatasetError, match=r"annotations\.json: is not JSON that can be read"):
        open_dataset(tmp_path)


def yolo_folder(folder, lines: str, *, yaml: str = "names: [cat, dog]\ntrain: ../train/images\n"):
    picture(folder / "train" / "images" / "a.jpg")
    picture(folder / "train" / "images" / "empty.jpg")
    (folder / "train" / "labels").mkdir(parents=True)
    (folder / "train" / "labels" / "a.txt").write_text(lines)
    (folder / "data.yaml").write_text(yaml)
    return folder


def test_yolo_lines_are_shares_of_the_picture(tmp_path):
    yolo_folder(tmp_path, "1 0.3125 0.25 0.375 0.3333333333\n0 0.1 0.1 0.2 0.1 0.2 0.3 0.1 0.3\n")
    dataset = open_dataset(tmp_path, split="train")
    assert dataset.format == "yolo"
    box, outline = dataset.examples[0].boxes
    np.testing.assert_allclose(box, [10, 5, 40, 25], atol=1e-5)
    np.testing.assert_allclose(outline, [8, 6, 16, 18], atol=1e-5)
    assert dataset.examples[0].class_ids.tolist() == [1, 0]
    assert len(dataset.examples[1]) == 0


def test_lists_of_any_name_are_found_again_in_yolo(tmp_path):
    parts = random_examples(tmp_path / "pictures")
    learn, check = parts["train"], parts["val"]
    labels = LabelMap(("a", "b", "c"))
    write_dataset({"learn": learn, "check": check}, labels, tmp_path / "new", format="yolo")
    assert split_names(tmp_path / "new") == ("check", "learn")
    assert len(open_dataset(tmp_path / "new", split="learn")) == len(learn)
    with pytest.raises(DatasetError, match="No list of a YOLO folder can be called 'names'"):
        write_dataset({"names": learn, "check": check}, labels, tmp_path / "other", format="yolo")


@pytest.mark.parametrize(
    ("splits", "entries"),
    [
        (("train2017", "val2017"), ("train", "val")),
        (("training", "validation"), ("train", "val")),
        (("train2014", "train2017"), ("train", "train2017")),
        (("train2017", "train"), ("train", "train2017")),
    ],
)
def test_yolo_is_told_of_lists_by_the_names_other_programs_look_for(tmp_path, splits, entries):
    examples = dict(zip(splits, random_examples(tmp_path / "pictures").values()))
    write_dataset(examples, LabelMap(("a", "b", "c")), tmp_path / "new", format="yolo")
    assert split_names(tmp_path / "new") == entries
    assert sum(len(open_dataset(tmp_path / "new", split=each)) for each in entries) == 6


def test_entries_of_a_yolo_yaml_that_are_no_lists_are_passed_over(tmp_path):
    yaml = (
        "names: [cat]\npath: path\ntrain: train/images\nvalid: train/images\ndownload: a/download\nnote: hi\n"
    )
    yolo_folder(tmp_path, "0 0.5 0.5 0.2 0.2\n", yaml=yaml)
    assert split_names(tmp_path) == ("train", "valid")


def test_yolo_without_yaml_takes_its_classes_from_classes_txt(tmp_path):
    picture(tmp_path / "a.jpg")
    (tmp_path / "a.txt").write_text("1 0.5 0.5 0.5 0.5\n")
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    dataset = open_dataset(tmp_path)
    assert (dataset.format, dataset.labels.names) == ("yolo", ("cat", "dog"))
    assert dataset.examples[0].class_ids.tolist() == [1]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("0 0.5 0.5 0.1", "a.txt, object 2: the line '0 0.5 0.5 0.1' is not 'class cx cy width height'"),
        ("cat 0.5 0.5 0.1 0.1", "a.txt, object 2: the line 'cat"),
        ("2 0.5 0.5 0.1 0.1", "a.txt, object 2: class '2' is none of the dataset's (cat, dog)"),
        ("0 0.5 0.5 nan 0.1", "a.txt, object 2: the line '0 0.5 0.5 nan 0.1'"),
    ],
)
def test_a_bad_yolo_line_yields_a_sentence_with_file_and_object(tmp_path, line, sentence):
    yolo_folder(tmp_path, f"0 0.5 0.5 0.2 0.2\n\n{line}\n")
    with pytest.raises(DatasetError) as caught:
        open_dataset(tmp_path)
    assert str(caught.value).startswith(sentence)


def test_a_yolo_label_without_a_picture_is_an_error(tmp_path):
    yolo_folder(tmp_path, "0 0.5 0.5 0.2 0.2\n")
    (tmp_path / "train" / "labels" / "lost.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    assert [str(flaw).split(":")[0] for flaw in survey(tmp_path).errors] == ["lost.txt"]


CSV_TABLES = {
    "names": "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,80,60,cat,10,5,40,25\n",
    "another order": "label,x1,x2,y1,y2,image\ncat,10,40,5,25,a.jpg\n",
    "semicolons": "image;left;top;right;bottom;class\na.jpg;10;5;40;25;cat\n",
    "corner and size": "x,y,w,h,class,path\n10,5,30,20,cat,a.jpg\n",
    "no names": "a.jpg,10,5,40,25,cat\nb.jpg,,,,,\n",
    "shares": "ImageID,LabelName,XMin,XMax,YMin,YMax\na,cat,0.125,0.5,0.08333333333,0.4166666667\n",
}


@pytest.mark.parametrize("table", CSV_TABLES.values(), ids=CSV_TABLES.keys())
def test_csv_columns_may_stand_in_any_order(tmp_path, table):
    picture(tmp_path / "a.jpg")
    picture(tmp_path / "b.jpg")
    (tmp_path / "all.csv").write_text(table)
    dataset = open_dataset(tmp_path)
    assert (dataset.format, dataset.labels.names) == ("csv", ("cat",))
    np.testing.assert_allclose(dataset.examples[0].boxes, [[10, 5, 40, 25]], atol=1e-5)
    assert [len(example) for example in dataset.examples] == ([1, 0] if ",,,," in table else [1])


def test_csv_columns_can_be_said(tmp_path):
    picture(tmp_path / "a.jpg")
    (tmp_path / "all.csv").write_text("kind,where,l,t,r,b\ncat,a.jpg,10,5,40,25\n")
    with pytest.raises(DatasetError, match="holds no labels"):
        open_dataset(tmp_path)
    said = "picture=where,class=kind,x1=l,y1=4,x2=r,y2=b"
    assert open_dataset(tmp_path, columns=said).examples[0].boxes.tolist() == [[10, 5, 40, 25]]
    with pytest.raises(DatasetError, match="has no column 'q'"):
        open_dataset(tmp_path, columns=said.replace("=r", "=q"))
    with pytest.raises(OptionError, match="'pic=where' is not NAME=COLUMN"):
        open_dataset(tmp_path, columns="pic=where")


def test_a_size_below_one_pixel_is_none(tmp_path):
    picture(tmp_path / "a.jpg")
    head = "picture,width,height,x1,y1,x2,y2,class\n"
    (tmp_path / "all.csv").write_text(f"{head}a.jpg,0.5,0.5,10,5,40,25,cat\n")
    assert not survey(tmp_path).flaws


def test_columns_said_of_a_folder_without_csv_are_refused(tmp_path):
    voc_file(tmp_path, "a", voc_object("cat", 1, 1, 30, 20))
    with pytest.raises(DatasetError, match="holds no CSV file, which --columns is about, but voc"):
        open_dataset(tmp_path, columns="picture=a")
    with pytest.raises(DatasetError, match="there is no such folder"):
        open_dataset(tmp_path / "nowhere", columns="picture=a")


def test_a_bad_csv_line_yields_a_sentence_with_file_and_object(tmp_path):
    picture(tmp_path / "a.jpg")
    (tmp_path / "all.csv").write_text(
        "picture,x1,y1,x2,y2,class\na.jpg,10,5,40,25,cat\na.jpg,10,5,4o,25,cat\n"
    )
    with pytest.raises(DatasetError, match=r"^all\.csv, object 2 \(a\.jpg\): has the box '10, 5, 4o, 25'"):
        open_dataset(tmp_path)


def random_examples(folder, seed: int = 3) -> dict[str, list[Example]]:
    """Pictures of two splits with boxes at odd fractions of pixels."""
    random = np.random.default_rng(seed)
    splits: dict[str, list[Example]] = {}
    for split, count in (("train", 4), ("val", 2)):
        for number in range(count):
            n = int(random.integers(0, 5)) if number else 3
            low = random.uniform(0, [50, 30], (n, 2))
            boxes = np.hstack([low, low + random.uniform(2, [29, 29], (n, 2))]).astype(np.float32)
            example = Example(
                path=picture(folder / f"{split}-{number}.jpg"),
                height=60,
                width=80,
                boxes=boxes,
                class_ids=random.integers(0, 3, n).astype(np.int32),
                difficult=random.random(n) < 0.3,
                truncated=random.random(n) < 0.3,
                crowd=random.random(n) < 0.3,
                areas=random.uniform(1, 200, n).astype(np.float32),
            )
            splits.setdefault(split, []).append(example)
    return splits


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_written_in_a_format_is_read_back_to_the_last_bit(tmp_path, format):
    parts = random_examples(tmp_path / "pictures")
    labels = LabelMap(("zebra", "ant", "cat"))
    write_dataset(parts, labels, tmp_path / "new", format=format)
    for split, examples in parts.items():
        dataset = open_dataset(tmp_path / "new", split=split)
        assert (dataset.format, dataset.labels) == (format, labels)
        assert not dataset.flaws
        for was, now in zip(examples, dataset.examples, strict=True):
            held = [field for field in ("difficult", "truncated", "crowd", "areas")
                    if field.removesuffix("s") not in FORMATS[format].cannot_hold]  # fmt: skip
            kept = ~was.crowd if "crowd" in FORMATS[format].cannot_hold else slice(None)
            for field in ("boxes", "class_ids", *held):
                np.testing.assert_array_equal(getattr(now, field), getattr(was, field)[kept], err_msg=field)
            assert now.path.read_bytes() == was.path.read_bytes()


def test_converting_says_what_the_target_cannot_hold_and_leaves_the_original_alone(tmp_path):
    voc_file(
        tmp_path / "old", "a", voc_object("cat", 1, 1, 30, 20, difficult=1), voc_object("cat", 9, 9, 9, 9)
    )
    before = {path: path.read_bytes() for path in (tmp_path / "old").rglob("*") if path.is_file()}
    written = convert(tmp_path / "old", tmp_path / "new", format="yolo")
    assert written.notes == ("left out: 1 point-sized", "yolo cannot say 'difficult': 1 objects")
    assert {path: path.read_bytes() for path in (tmp_path / "old").rglob("*") if path.is_file()} == before
    with pytest.raises(DatasetError, match="exists already and is not empty"):
        convert(tmp_path / "old", tmp_path / "new", format="coco")


def test_converting_counts_the_outlines_of_which_the_area_is_lost(tmp_path):
    cats = [{"image_id": 7, "category_id": 3, "bbox": [10, 5, 30, 20], "area": area} for area in (600, 250)]
    coco_file(tmp_path / "old", cats)
    for format, notes in (("voc", ("voc cannot say 'area': 1 objects",)), ("csv", ())):
        assert convert(tmp_path / "old", tmp_path / format, format=format).notes == notes
    written = divide(tmp_path / "old", tmp_path / "yolo", shares={"train": 1}, format="yolo")
    assert written.notes[-1] == "yolo cannot say 'area': 1 objects"


def test_trainval_is_not_written_twice_where_splits_cannot_share_pictures(tmp_path):
    for stem in "abc":
        voc_file(tmp_path / "old", stem, voc_object("cat", 1, 1, 30, 20))
    for split, stems in {"train": "a", "val": "b", "trainval": "ab"}.items():
        voc_list(tmp_path / "old", split, *stems)
    written = convert(tmp_path / "old", tmp_path / "coco", format="coco")
    assert sorted(path.name for path in (tmp_path / "coco").iterdir()) == ["annotations", "train", "val"]
    assert written.notes == ("1 pictures are in none of the lists and were not written",)
    convert(tmp_path / "old", tmp_path / "voc", format="voc")
    assert len(open_dataset(tmp_path / "voc", split="trainval")) == 2


def test_pictures_of_one_name_in_two_folders_stay_two(tmp_path):
    parts = random_examples(tmp_path / "pictures")
    first, second = parts["train"][:2]
    twin = tmp_path / "pictures" / "elsewhere" / first.path.name
    twin.parent.mkdir()
    twin.write_bytes(second.path.read_bytes())
    moved = Example(twin, *(getattr(second, field) for field in Example.__slots__[1:]))
    write_dataset({None: [first, moved]}, LabelMap(("a", "b", "c")), tmp_path / "new", format="voc")
    assert len(open_dataset(tmp_path / "new")) == 2


def test_a_folder_above_the_dataset_is_answered_with_the_dataset(tmp_path):
    voc_file(tmp_path / "VOC2012", "a", voc_object("cat", 1, 1, 30, 20))
    with pytest.raises(DatasetError, match=r"did you mean .*VOC2012"):
        open_dataset(tmp_path)
    with pytest.raises(DatasetError, match="there is no such folder"):
        open_dataset(tmp_path / "nowhere")
