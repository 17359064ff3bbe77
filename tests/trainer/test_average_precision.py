"""VOC's verdicts and average precision: by hand, and against a plain restatement of the devkit."""

from fractions import Fraction

import numpy as np
import pytest

from tests.trainer.answers import example, found
from trainer.evaluation.average_precision import area_ap, curve, eleven_point_ap
from trainer.evaluation.matching import IGNORED, RIGHT, WRONG, match


def matches_of_one_picture(objects, difficult, boxes, scores):
    picture = example(objects, [0] * len(objects), difficult)
    return match([picture], [found(boxes, scores, [0] * len(boxes))], 1)[0]


def test_the_second_box_on_an_object_is_wrong():
    matches = matches_of_one_picture([[0, 0, 10, 10]], [0], [[0, 0, 10, 9], [0, 0, 10, 10]], [0.9, 0.8])
    assert matches.verdicts.tolist() == [RIGHT, WRONG]


def test_boxes_on_a_difficult_object_are_neither_right_nor_wrong_however_many():
    matches = matches_of_one_picture([[0, 0, 10, 10]], [1], [[0, 0, 10, 10], [0, 0, 10, 9]], [0.9, 0.8])
    assert matches.verdicts.tolist() == [IGNORED, IGNORED]
    assert matches.positives.tolist() == [0]
    assert eleven_point_ap(curve(matches)) is None


def test_a_box_whose_best_object_is_taken_does_not_fall_back_on_the_second_best():
    objects = [[0, 0, 10, 10], [0, 3, 10, 13]]
    matches = matches_of_one_picture(objects, [0, 0], [[0, 0, 10, 10], [0, 1, 10, 11]], [0.9, 0.8])
    assert matches.verdicts.tolist() == [RIGHT, WRONG]


def test_an_overlap_of_exactly_one_half_is_enough():
    matches = matches_of_one_picture([[0, 0, 10, 10]], [0], [[0, 0, 10, 5]], [0.9])
    assert matches.verdicts.tolist() == [RIGHT]


def test_average_precision_by_hand():
    """Right, wrong, right, right, wrong; five objects: precision 1, 1/2, 2/3, 3/4, 3/5."""
    objects = [[40 * k, 0, 40 * k + 30, 30] for k in range(5)]
    boxes = [objects[0], [0, 100, 30, 130], objects[1], objects[2], [60, 100, 90, 130]]
    line = curve(matches_of_one_picture(objects, [0] * 5, boxes, [0.9, 0.8, 0.7, 0.6, 0.5]))
    assert eleven_point_ap(line) == pytest.approx(
        (3 * 1 + 4 * 0.75) / 11
    )  # recall 0, .1, .2 | .3, .4, .5, .6
    assert area_ap(line) == pytest.approx(0.2 * 1 + 0.4 * 0.75)


def test_three_of_ten_objects_reach_a_recall_of_three_tenths():
    objects = [[30 * k, 0, 30 * k + 20, 20] for k in range(10)]
    line = curve(matches_of_one_picture(objects, [0] * 10, objects[:3], [0.9, 0.8, 0.7]))
    assert eleven_point_ap(line) == pytest.approx(4 / 11)


def devkit(pictures, answers, class_id):
    """VOCevaldet.m step by step on its own pixel boxes: from 1, both corners inside, "+1" in every length."""
    rows = []
    for image, answer in enumerate(answers):
        for box, score, found_class in zip(answer.boxes, answer.scores, answer.class_ids):
            if found_class == class_id:
                x1, y1, x2, y2 = map(float, box)
                rows.append((float(score), image, (x1 + 1, y1 + 1, x2, y2)))
    rows.sort(key=lambda row: -row[0])
    taken, verdicts, positives = set(), [], 0
    for picture in pictures:
        positives += sum(c == class_id and not d for c, d in zip(picture.class_ids, picture.difficult))
    for _, image, (left, top, right, bottom) in rows:
        best, best_object = -np.inf, None
        for number, (x1, y1, x2, y2) in enumerate(pictures[image].boxes.astype(float)):
            if pictures[image].class_ids[number] != class_id:
                continue
            x1, y1 = x1 + 1, y1 + 1
            wide = min(right, x2) - max(left, x1) + 1
            high = min(bottom, y2) - max(top, y1) + 1
            if wide > 0 and high > 0:
                either = (right - left + 1) * (bottom - top + 1) + (x2 - x1 + 1) * (y2 - y1 + 1) - wide * high
                if wide * high / either > best:
                    best, best_object = wide * high / either, number
        if best >= 0.5:
            if not pictures[image].difficult[best_object]:
                verdicts.append((image, best_object) not in taken)
                taken.add((image, best_object))
        else:
            verdicts.append(False)
    return verdicts, positives


def eleven_points_in_fractions(verdicts, positives):
    """The definition, word for word, without floats."""
    points = []
    for count in range(1, len(verdicts) + 1):
        right = sum(verdicts[:count])
        points.append((Fraction(right, positives), Fraction(right, count)))
    best = [max((p for r, p in points if r >= Fraction(k, 10)), default=Fraction(0)) for k in range(11)]
    return float(sum(best) / 11)


def area_in_fractions(verdicts, positives):
    total, last = Fraction(0), Fraction(0)
    precisions = [Fraction(sum(verdicts[: k + 1]), k + 1) for k in range(len(verdicts))]
    for k in range(len(verdicts)):
        recall = Fraction(sum(verdicts[: k + 1]), positives)
        total += (recall - last) * max(precisions[k:])
        last = recall
    return float(total)


@pytest.mark.parametrize("seed", range(6))
def test_it_gives_the_devkits_numbers_on_random_pictures(seed):
    random = np.random.default_rng(seed)
    pictures, answers = [], []
    for _ in range(25):
        n = int(random.integers(0, 6))
        corners = random.integers(0, 200, (n, 2))
        boxes = np.hstack([corners, corners + random.integers(2, 100, (n, 2))])
        class_ids = random.integers(0, 3, n)
        pictures.append(example(boxes, class_ids, random.random(n) < 0.25))
        near = np.repeat(boxes, 3, axis=0).reshape(-1, 4) + random.integers(-12, 13, (3 * n, 4))
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
        wrong_class = random.random(3 * n) < 0.2
        ids = np.where(wrong_class, random.integers(0, 3, 3 * n), np.repeat(class_ids, 3))
        answers.append(found(near, random.integers(1, 50, 3 * n) / 50, ids))
    for class_id, matches in enumerate(match(pictures, answers, 3)):
        verdicts, positives = devkit(pictures, answers, class_id)
        assert (matches.verdicts[matches.verdicts != IGNORED] == RIGHT).tolist() == verdicts
        assert eleven_point_ap(curve(matches)) == pytest.approx(
            eleven_points_in_fractions(verdicts, positives), abs=1e-12
        )
        assert area_ap(curve(matches)) == pytest.approx(area_in_fractions(verdicts, positives), abs=1e-12)


def test_a_picture_counted_twice_is_the_same_as_two_equal_pictures():
    picture = example([[0, 0, 10, 10], [20, 0, 30, 10]], [0, 0])
    other = example([[50, 50, 60, 60]], [0])
    answer = found([[0, 0, 10, 10], [100, 100, 120, 120]], [0.9, 0.4], [0, 0])
    answer_two = found([[50, 50, 60, 61]], [0.6], [0])
    weighted = curve(match([picture, other], [answer, answer_two], 1)[0], np.array([2, 1]))
    doubled = curve(match([picture, other, picture], [answer, answer_two, answer], 1)[0])
    assert area_ap(weighted) == pytest.approx(area_ap(doubled))
    assert eleven_point_ap(weighted) == pytest.approx(eleven_point_ap(doubled))
