"""The figures of an evaluation: against pycocotools, and worked out by hand on a few boxes."""

import contextlib
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from detector.class_names import Aliases
from detector.errors import DatasetError
from detector.values import Detections, LabelMap
from tests.trainer.answers import example, found
from tests.trainer.pictures import picture
from trainer.evaluation.answers import ClassMap
from trainer.evaluation.at_threshold import best_min_score, confusion_matrix
from trainer.evaluation.average_precision import area_ap, curve, mean_ap
from trainer.evaluation.coco_ap import coco_figures
from trainer.evaluation.comparison import compare
from trainer.evaluation.evaluation import evaluate
from trainer.evaluation.matching import match
from trainer.evaluation.report import write_report

LABELS = LabelMap(("cat", "dog", "cow"))


def test_two_models_cannot_be_compared_where_nothing_is_to_be_found():
    nothing = np.zeros((0, 4))
    hard = example(
        np.array([[10, 10, 40, 40]]), np.array([0]), np.array([True])
    )  # difficult: it does not count
    pictures = [example(nothing, np.zeros(0, int)), hard]
    answers = [found(nothing, np.zeros(0), np.zeros(0, int))] * 2
    with pytest.raises(DatasetError, match="cannot be compared"):
        compare(pictures, answers, answers, LABELS)


def random_pictures(seed: int, count: int = 30):
    """Pictures with objects of all sizes, some difficult or crowds, and detections near them."""
    random = np.random.default_rng(seed)
    pictures, answers = [], []
    for _ in range(count):
        n = int(random.integers(0, 7))
        low = random.uniform(0, 200, (n, 2))
        boxes = np.hstack([low, low + random.uniform(4, 120, (n, 2))])
        class_ids = random.integers(0, 2, n)  # no cow: a class without objects
        pictures.append(example(boxes, class_ids, random.random(n) < 0.2, random.random(n) < 0.1))
        near = np.repeat(boxes, 3, axis=0) + random.normal(0, 8, (3 * n, 4))
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
        ids = np.where(random.random(3 * n) < 0.2, random.integers(0, 3, 3 * n), np.repeat(class_ids, 3))
        answers.append(found(near, random.random(3 * n), ids))
    return pictures, answers


def numbers_of_pycocotools(pictures, answers) -> np.ndarray:
    truth, results = COCO(), []
    annotations = []
    for image_id, (each, answer) in enumerate(zip(pictures, answers), 1):
        for k, (x1, y1, x2, y2) in enumerate(each.boxes.astype(float).tolist()):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": int(each.class_ids[k]) + 1,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": float(each.areas[k]),
                    "iscrowd": int(each.difficult[k] or each.crowd[k]),
                }
            )
        for k, (x1, y1, x2, y2) in enumerate(answer.boxes.astype(float).tolist()):
            results.append(
                {
                    "image_id": image_id,
                    "category_id": int(answer.class_ids[k]) + 1,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "score": float(answer.scores[k]),
                }
            )
    with contextlib.redirect_stdout(io.StringIO()):
        truth.dataset = {
            "images": [{"id": k + 1, "height": 320, "width": 320} for k in range(len(pictures))],
            "annotations": annotations,
            "categories": [{"id": k + 1, "name": name} for k, name in enumerate(LABELS.names)],
        }
        truth.createIndex()
        measured = COCOeval(truth, truth.loadRes(results), "bbox")
        measured.evaluate()
        measured.accumulate()
        measured.summarize()
    return measured.stats


@pytest.mark.parametrize("seed", range(5))
def test_coco_numbers_are_those_of_pycocotools(seed):
    pictures, answers = random_pictures(seed)
    figures = coco_figures(pictures, answers, len(LABELS))
    names = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
    names += ("ar1", "ar10", "ar100", "ar_small", "ar_medium", "ar_large")
    ours = [getattr(figures, name) for name in names]
    theirs = [None if value < 0 else value for value in numbers_of_pycocotools(pictures, answers)]
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert figures.class_ap[2] is None
    assert np.mean(figures.class_ap[:2]) == pytest.approx(figures.ap)
    assert np.mean(figures.class_ap50[:2]) == pytest.approx(figures.ap50)


# A cat at the left and a dog at the right, and for each kind of mistake what is found of them.
CAT, DOG = [0, 0, 100, 100], [200, 0, 300, 100]
MISTAKES = {
    "class": (found([DOG], [0.9], [0]), "the box of the dog, called cat"),
    "place": (found([[0, 0, 100, 30]], [0.9], [0]), "0.3 of the cat"),
    "both": (found([[200, 0, 300, 30]], [0.9], [0]), "0.3 of the dog, called cat"),
    "duplicate": (found([CAT, [0, 0, 100, 95]], [0.9, 0.8], [0, 0]), "the cat twice"),
    "background": (found([[100, 200, 200, 300]], [0.9], [0]), "nothing there"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_every_wrong_detection_has_its_kind(kind):
    answer, _ = MISTAKES[kind]
    pictures = [example([CAT, DOG], [0, 1])]
    evaluation = evaluate(pictures, [answer], LABELS, min_score=0.5)
    counts = {each.name: each.count for each in evaluation.kinds if each.name != "missed"}
    assert counts == {name: int(name == kind) for name in counts}


def test_objects_that_are_nearly_found_are_no_misses():
    pictures = [example([CAT, DOG, [0, 200, 50, 250]], [0, 1, 0])]
    answers = [found([DOG, [0, 0, 100, 30]], [0.9, 0.8], [0, 0])]
    evaluation = evaluate(pictures, answers, LABELS, min_score=0.5)
    assert dict(zip(evaluation.misses.objects.tolist(), evaluation.misses.kinds.tolist())) == {
        0: "place",
        1: "class",
        2: "missed",
    }
    assert {each.name: each.count for each in evaluation.kinds}["missed"] == 1


def test_mending_a_kind_gains_what_the_mended_answers_would_measure():
    """Cats: a wrong box above two right ones, precision 1/2, 2/3, so AP 2/3; without it 1. Dogs: AP 0."""
    pictures = [example([CAT, [0, 200, 50, 250], DOG], [0, 0, 1])]
    answers = [found([[100, 200, 200, 300], CAT, [0, 200, 50, 250]], [0.9, 0.8, 0.7], [0, 0, 0])]
    gains = {each.name: each.gain for each in evaluate(pictures, answers, LABELS).kinds}
    assert gains == {
        "class": 0,
        "place": 0,
        "both": 0,
        "duplicate": 0,
        "background": pytest.approx(1 / 2 * (1 - 2 / 3)),
        "missed": pytest.approx(1 / 2),  # of the dogs nothing would be left to find
    }


def test_mending_the_class_moves_a_detection_to_its_class():
    """Cats: wrong, right, one of two, so AP 1/4, and 1/2 without the wrong one. Dogs: 0, and 1."""
    pictures = [example([CAT, DOG, [0, 200, 50, 250]], [0, 1, 0])]
    answers = [found([DOG, CAT], [0.9, 0.8], [0, 0])]
    gains = {each.name: each.gain for each in evaluate(pictures, answers, LABELS).kinds}
    assert gains["class"] == pytest.approx((1 / 2 + 1) / 2 - (1 / 4 + 0) / 2)


def test_mending_the_place_makes_only_the_best_detection_of_an_object_right():
    pictures = [example([CAT], [0])]
    answers = [found([[0, 0, 100, 30], [0, 0, 100, 40]], [0.9, 0.8], [0, 0])]
    gains = {each.name: each.gain for each in evaluate(pictures, answers, LABELS).kinds}
    assert gains["place"] == pytest.approx(1)


@pytest.mark.parametrize("seed", range(3))
def test_without_any_mistake_everything_would_be_right(seed):
    """Removing objects and boxes by their kinds one by one leaves nothing: each gain is 0 or more."""
    pictures, answers = random_pictures(seed)
    evaluation = evaluate(pictures, answers, LABELS)
    assert all(each.gain >= -1e-12 for each in evaluation.kinds)
    assert set(evaluation.alarms.kinds.tolist()) <= {"class", "place", "both", "duplicate", "background"}


def test_precision_recall_and_f1_are_taken_at_the_minimum_score():
    pictures = [example([CAT, DOG, [0, 200, 20, 220]], [0, 1, 0])]
    answers = [found([CAT, [100, 200, 200, 300], DOG], [0.9, 0.5, 0.4], [0, 0, 1])]
    evaluation = evaluate(pictures, answers, LABELS, min_score=0.5)
    cat, dog, cow = (each.counts for each in evaluation.classes)
    assert (cat.precision, cat.recall, cat.f1) == (0.5, 0.5, 0.5)
    assert (dog.precision, dog.recall, dog.f1) == (0, 0, 0)
    assert cow.objects == 0
    assert evaluation.found_by_size == {"small": (0, 1), "medium": (0, 0), "large": (1, 2)}
    assert best_min_score(match(pictures, answers, 3)) == pytest.approx(0.4)


def test_the_confusion_matrix_counts_every_object_and_every_detection_once():
    pictures = [example([CAT, DOG, [0, 200, 50, 250]], [0, 1, 2], [False, False, True])]
    boxes = [CAT, [0, 0, 100, 90], DOG, [100, 200, 200, 300], [0, 200, 50, 250]]
    answers = [found(boxes, [0.9, 0.8, 0.7, 0.6, 0.55], [0, 1, 0, 2, 1])]
    table = confusion_matrix(pictures, answers, 3, min_score=0.5)
    expected = np.zeros((4, 4), int)
    expected[0, 0] = 1  # the cat; the dog over it finds no object left
    expected[3, 1] = 1
    expected[1, 0] = 1  # the dog, called cat
    expected[3, 2] = 1  # the cow over nothing; the box on the difficult cow is nowhere
    assert table.tolist() == expected.tolist()
    assert confusion_matrix(pictures, answers, 3, min_score=0.95)[:, 3].tolist() == [1, 1, 0, 0]


def test_a_detection_is_held_against_an_object_of_its_class_before_a_better_fitting_one():
    pictures = [example([[0, 0, 100, 100], [0, 0, 100, 90]], [0, 1])]
    answers = [found([[0, 0, 100, 100], [0, 0, 100, 90]], [0.9, 0.8], [1, 0])]
    table = confusion_matrix(pictures, answers, 2, min_score=0.5)
    assert table.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_an_evaluation_holds_the_promised_figures():
    pictures, answers = random_pictures(1)
    written = evaluate(pictures, answers, LABELS).to_json()
    assert written.keys() >= {"voc07_map", "voc_area_map", "coco_ap", "per_class", "images"}
    assert written["images"] == len(pictures)
    assert written["per_class"]["cow"]["voc07_ap"] is None
    aps = [written["per_class"][name]["voc07_ap"] for name in ("cat", "dog")]
    assert written["voc07_map"] == pytest.approx(np.mean(aps))


def test_no_detection_at_all_can_be_evaluated():
    pictures = [example([CAT], [0]), example([], [])]
    evaluation = evaluate(pictures, [Detections.empty()] * 2, LABELS)
    assert evaluation.voc07_map == 0
    assert evaluation.best_min_score is None
    assert {each.name: each.gain for each in evaluation.kinds}["missed"] == 1


def test_a_difference_by_chance_is_called_noise_and_a_clear_one_is_not():
    pictures, answers = random_pictures(2, count=60)
    random = np.random.default_rng(0)
    shaken = [random.normal(0, 0.5, (len(a), 4)).astype(np.float32) for a in answers]
    trembling = [a.with_boxes(a.boxes + shift) for a, shift in zip(answers, shaken)]
    worse = [a[::3] for a in answers]
    assert compare(pictures, answers, trembling, LABELS, draws=200).maps[0].is_noise
    clear = compare(pictures, answers, worse, LABELS, draws=200)
    assert not clear.maps[0].is_noise
    assert clear.maps[0].high < 0
    assert [each.name for each in clear.classes] == ["cat", "dog"]


def test_the_same_model_differs_from_itself_by_nothing():
    pictures, answers = random_pictures(3)
    for each in compare(pictures, answers, answers, LABELS, draws=50).maps:
        assert (each.low, each.high, each.first) == (0, 0, each.second)
        assert each.is_noise


def test_an_interval_is_that_of_drawing_pictures_again():
    """Against the plain way: draw pictures, measure the drawn ones as a dataset of their own."""
    pictures, answers = random_pictures(4)
    second = [a[::2] for a in answers]
    interval = compare(pictures, answers, second, LABELS, draws=400, seed=1).maps[1]
    random, plain = np.random.default_rng(9), []
    for _ in range(150):
        drawn = random.integers(0, len(pictures), len(pictures))
        matches = [
            match([pictures[k] for k in drawn], [each[k] for k in drawn], 3) for each in (answers, second)
        ]
        maps = [mean_ap([area_ap(curve(line)) for line in each]) for each in matches]
        plain.append(maps[1] - maps[0])
    # The ends of an interval from 150 draws are uncertain by about a fifth of its width.
    width = interval.high - interval.low
    assert np.percentile(plain, (2.5, 97.5)) == pytest.approx([interval.low, interval.high], abs=0.25 * width)


def test_classes_are_matched_by_names_that_mean_the_same():
    model, dataset = LabelMap(("person", "tv", "zebra")), LabelMap(("tvmonitor", "person", "sofa"))
    class_map = ClassMap.between(model, dataset, Aliases.shipped())
    assert class_map.class_ids.tolist() == [1, 0, -1]
    assert class_map.missing == ("sofa",)
    shown = class_map.apply(found([CAT, DOG, CAT], [0.9, 0.8, 0.7], [2, 1, 0]), max_detections=1)
    assert (shown.class_ids.tolist(), shown.scores.tolist()) == ([0], [pytest.approx(0.8)])
    with pytest.raises(DatasetError, match="knows none of the dataset's classes"):
        ClassMap.between(LabelMap(("zebra",)), dataset, Aliases.shipped())


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.counts: dict[str, int] = {}

    def handle_starttag(self, tag, attributes) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag


def test_the_report_is_one_whole_page_with_its_pictures_inside(tmp_path):
    path = picture(tmp_path / "a<b>.jpg", 320, 320)
    pictures = [example([CAT, DOG], [0, 1])]
    pictures = [type(each)(path, *(getattr(each, name) for name in each.__slots__[1:])) for each in pictures]
    answers = [found([CAT, [100, 200, 200, 300]], [0.9, 0.8], [0, 0])]
    evaluation = evaluate(pictures, answers, LABELS)
    facts = {"data": "<folder>"}
    page = write_report(tmp_path / "report", evaluation, pictures, answers, title="a & b", facts=facts)
    text = page.read_text()
    parsed = _Page()
    parsed.feed(text)
    assert not parsed.open
    assert parsed.counts["svg"] == 2  # cat and dog; there is no cow
    assert parsed.counts["img"] == 2  # one false alarm, one miss
    assert "nothing is labelled here (a&lt;b&gt;.jpg)" in text
    assert "dog: not found" in text
    assert "data &lt;folder&gt;" in text
    assert not re.search(r'(src|href)="(?!data:)', text)
