"""Do the heat maps tell a real explanation from a pretty one? On 100 photographs, with printed figures.

    python -m pytest tests/oracles/test_explanations.py -m oracle -s

The model is the one that ships, else the imported COCO model. Ten to twenty minutes on two cores.
"""

from dataclasses import dataclass, replace
from itertools import combinations

import cv2
import numpy as np
import pytest
from scipy.stats import spearmanr

from detector.boxes import iou_matrix
from detector.engines.pictures import fill
from detector.explain.explainer import Explainer
from detector.explain.methods import resized
from detector.importers import import_file
from detector.model_store import read_model, save_model
from detector.networks.catalog import build_network, load_network
from detector.networks.weights import weights_of
from detector.pictures import read_picture
from detector.places import builtin_model_folder
from detector.scores import scores_of
from detector.values import Frame

pytestmark = [pytest.mark.oracle, pytest.mark.timeout(7200)]

_PICTURES = 100
_CONFIDENT = 0.5


@dataclass(frozen=True, eq=False)
class _Box:
    """box: x1, y1, x2, y2, 0..1; share: of the picture"""

    frame: Frame
    box: np.ndarray
    class_id: int
    anchor_id: int

    @property
    def share(self):
        x1, y1, x2, y2 = self.box
        return (x2 - x1) * (y2 - y1)


@pytest.fixture(scope="module")
def model(shared, tmp_path_factory):
    shipped = builtin_model_folder() / "everyday.json"
    if shipped.exists():
        return read_model(shipped)
    imported = import_file(shared / "models" / "coco_ssd_mobilenet_v1_quant.tflite", name="coco")
    return save_model(imported.card, imported.weights, folder=tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def explainer(model):
    return Explainer(model)


@pytest.fixture(scope="module")
def pictures(explainer, shared):
    """The confident boxes of the first 100 test pictures that have any: a list for each picture."""
    data = shared / "data" / "voc2007"
    found = []
    for stem in (data / "ImageSets" / "Main" / "test.txt").read_text().split():
        frame = Frame(read_picture(data / "JPEGImages" / f"{stem}.jpg"))
        its = explainer.detect(frame, floor=_CONFIDENT)
        boxes = its.boxes / np.float32([frame.width, frame.height] * 2)
        if len(its):
            found.append(
                [_Box(frame, *one) for one in zip(boxes, its.class_ids.tolist(), its.anchor_ids.tolist())]
            )
        if len(found) == _PICTURES:
            break
    assert len(found) == _PICTURES
    print(f"\n{_PICTURES} pictures, {sum(map(len, found))} boxes with a score of {_CONFIDENT} or more")
    return found


@pytest.fixture(scope="module")
def best(pictures):
    """The surest box of every picture."""
    return [boxes[0] for boxes in pictures]


def _heat(explainer, box, method="odam", class_id=None):
    class_id = box.class_id if class_id is None else class_id
    return explainer.explain(box.frame, anchor_id=box.anchor_id, class_id=class_id, method=method).heat


def _likeness(one, other):
    """Rank correlation; 0 where one of them is the same everywhere."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(spearmanr(one.ravel(), other.ravel()).statistic)


def _energy(heat, box):
    """The share of the map that lies inside the box."""
    large = resized(heat, 300, 300)
    x1, y1, x2, y2 = np.rint(box * 300).astype(int)
    return large[y1:y2, x1:x2].sum() / max(large.sum(), 1e-9)


def test_maps_of_a_network_that_has_forgotten_are_unlike_those_of_the_trained_one(
    model, explainer, best, tmp_path
):
    """Cascading randomisation (Adebayo et al. 2018): from the heads down to the first layer."""
    trained, fresh = weights_of(load_network(model)), weights_of(build_network(model.card))
    layers = list(dict.fromkeys(path.split("/")[0] for path in trained))
    heads = [name for name in layers if "_logits" in name or "_offsets" in name]
    body = [name for name in layers if name not in heads]
    methods = ("odam", "grad-cam", "guided")
    known = {method: [_heat(explainer, box, method) for box in best] for method in methods}
    print("\nrank correlation with the trained network's maps, mean over boxes")
    for part, words in ((0, "heads"), (1, "and a third"), (2, "and two thirds"), (3, "all layers")):
        gone = {*heads, *body[len(body) - len(body) * part // 3 :]}
        weights = {path: (fresh if path.split("/")[0] in gone else trained)[path] for path in trained}
        folder = tmp_path / str(part)
        card = replace(model.card, name="forgotten")  # that of a model that ships may not be taken
        forgotten = Explainer(save_model(card, weights, folder=folder))
        alike = {
            method: np.mean(
                [_likeness(a, _heat(forgotten, box, method)) for a, box in zip(known[method], best)]
            )
            for method in methods
        }
        print(f"  {words:<16}" + "  ".join(f"{method} {value:+.3f}" for method, value in alike.items()))
        assert alike["odam"] < 0.3


def test_maps_lie_in_their_boxes_more_than_the_classic_ones(explainer, pictures):
    boxes = [box for some in pictures for box in some[:3] if box.share < 0.5]
    ours, classic = (
        np.array([_energy(_heat(explainer, box, method), box.box) for box in boxes])
        for method in ("odam", "grad-cam")
    )
    shares = np.array([box.share for box in boxes])
    enough = (ours >= 1.5 * shares).mean()
    print(f"\n{len(boxes)} boxes under half the picture, on average {shares.mean():.3f} of it")
    print(f"energy inside: odam {ours.mean():.3f}, grad-cam {classic.mean():.3f}")
    print(f"at least 1.5 times its share: odam {enough:.1%}, grad-cam {(classic >= 1.5 * shares).mean():.1%}")
    assert enough >= 0.9
    assert ours.mean() > classic.mean()


def test_two_classes_at_one_anchor_have_different_maps(explainer, best, model):
    random, count = np.random.default_rng(0), len(model.card.classes)
    others = [(box.class_id + 1 + random.integers(count - 1)) % count for box in best]
    alike = [
        _likeness(_heat(explainer, box), _heat(explainer, box, class_id=int(other)))
        for box, other in zip(best, others)
    ]
    print(f"\ntwo classes at one anchor: rank correlation {np.mean(alike):+.3f}, at most {max(alike):+.3f}")
    assert np.mean(alike) < 0.5 and max(alike) < 0.99


def test_two_instances_of_one_class_have_different_maps_each_about_its_own(explainer, pictures):
    pairs = [
        (one, other)
        for boxes in pictures
        for one, other in list(combinations(boxes, 2))[:6]
        if one.class_id == other.class_id and iou_matrix(one.box[None], other.box[None])[0, 0] < 0.1
    ]
    alike, own = [], []
    for one, other in pairs:
        maps = _heat(explainer, one), _heat(explainer, other)
        large = [resized(heat, 64, 64) for heat in maps]
        alike.append(_likeness(*large))
        own += [
            _energy(maps[0], one.box) / one.share > _energy(maps[0], other.box) / other.share,
            _energy(maps[1], other.box) / other.share > _energy(maps[1], one.box) / one.share,
        ]
    print(f"\n{len(pairs)} pairs of one class: rank correlation {np.mean(alike):+.3f} on average")
    print(f"warmer in its own box than in the other's: {np.mean(own):.1%}")
    assert np.mean(alike) < 0.5 and np.mean(own) > 0.9


def test_what_is_warm_matters_most_scores_fall_faster_than_by_chance(explainer, best, model):
    """Deletion: a 19 x 19 grid, its cells turned grey from the warmest on, or in a random order."""
    side, shares = 19, np.array([0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0])
    network, card, random = load_network(model), model.card, np.random.default_rng(0)

    def area(picture, box, order):
        pictures = np.tile(picture, (len(shares), 1, 1, 1))
        for one, share in zip(pictures, shares):
            gone = np.zeros(side * side, np.uint8)
            gone[order[: round(share * side * side)]] = 1
            size = picture.shape[1::-1]
            one[cv2.resize(gone.reshape(side, side), size, interpolation=cv2.INTER_NEAREST) > 0] = 127
        answers = network.predict_on_batch(np.concatenate([picture[None], pictures]).astype(np.float32))
        scores = scores_of(np.asarray(answers["logits"])[:, box.anchor_id], card.score_activation)
        return np.trapezoid(scores[:, box.class_id], np.concatenate([[0], shares]))

    ours, chance, classic = [], [], []
    for box in best:
        picture = np.empty((*card.input_size, 3), np.uint8)
        fill(picture, box.frame, card.channel_order)
        maps = {method: resized(_heat(explainer, box, method), side, side) for method in ("odam", "grad-cam")}
        ours.append(area(picture, box, np.argsort(-maps["odam"], axis=None, kind="stable")))
        classic.append(area(picture, box, np.argsort(-maps["grad-cam"], axis=None, kind="stable")))
        chance.append(np.mean([area(picture, box, random.permutation(side * side)) for _ in range(2)]))
    faster = np.mean(np.array(ours) < np.array(chance))
    print(f"\narea under the score: odam {np.mean(ours):.3f}, grad-cam {np.mean(classic):.3f}, ", end="")
    print(f"by chance {np.mean(chance):.3f}; odam falls faster than by chance for {faster:.1%}")
    assert faster >= 0.85


def test_hiding_parts_at_random_agrees_where_the_reasons_lie(explainer, best):
    """The oracle that knows no gradients, on six boxes: it takes a thousand pictures each."""
    alike = []
    for box in [each for each in best if each.share < 0.3][:6]:
        slow = cv2.GaussianBlur(_heat(explainer, box, "d-rise"), (0, 0), 8)
        fast = cv2.GaussianBlur(resized(_heat(explainer, box), *slow.shape), (0, 0), 8)
        alike.append(_likeness(slow, fast))
        print(f"\nd-rise: energy inside {_energy(slow, box.box):.3f}, share {box.share:.3f}", end="")
    print(f"\nrank correlation of odam and d-rise: {np.mean(alike):+.3f} on average")
    assert np.mean(alike) > 0.1
