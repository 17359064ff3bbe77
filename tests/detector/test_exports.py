"""Models in other formats: written by a child, run again in their own runtime, kept only if they agree."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.errors import ExportError
from detector.exports import FORMATS, export_model
from detector.exports.formats import FORMATS as HOW
from detector.exports.parity import compare
from detector.model_store import Model
from tests.detector.random_networks import save_small


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A quarter of a MobileNet for pictures of 96x160, which finds many things in noise."""
    picture = np.random.default_rng(0).integers(0, 256, (96, 160, 3), np.uint8)
    return save_small(tmp_path_factory.mktemp("exports"), width=0.25, picture=picture, above=60)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n != "litert" else []) for n in FORMATS]
)
def test_what_is_exported_finds_what_the_model_finds(small: Model, tmp_path: Path, name: str) -> None:
    for package in HOW[name].needs:
        pytest.importorskip(package)
    exported = export_model(small, name, tmp_path / "out")
    assert exported.parity.holds and exported.parity.detections > 100
    said = json.loads((tmp_path / "out" / "export.json").read_text())
    assert said["parity"]["detections"] == exported.parity.detections
    assert said["classes"] == ["a", "b", "c"] and said["weights_sha256"] == small.card.weights_sha256
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]

    run = HOW[name].open(tmp_path / "out" / said["file"])
    found = run(np.random.default_rng(1).integers(0, 256, (96, 160, 3), np.uint8))
    count = int(found["count"])
    assert 0 < count <= 200 and found["boxes"].shape == (200, 4)
    assert (np.diff(found["scores"][:count]) <= 0).all() and (found["class_ids"][count:] == -1).all()


def test_a_failure_is_told_in_words_and_leaves_nothing(small: Model, tmp_path: Path) -> None:
    moved = Model(small.card, tmp_path / "nowhere")
    with pytest.raises(
        ExportError, match=r"'small' could not be exported to litert: .*small\.h5.* missing\."
    ):
        export_model(moved, "litert", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def arrays(*rows: tuple[list[float], float, int]) -> dict[str, Any]:
    """boxes, scores and classes of a frame, with one row of padding."""
    boxes, scores, class_ids = zip(*rows) if rows else ((), (), ())
    return {
        "boxes": np.float32([*boxes, [0, 0, 0, 0]]),
        "scores": np.float32([*scores, 0]),
        "class_ids": np.int32([*class_ids, -1]),
        "count": np.array(len(rows)),
    }


ONE, OTHER = ([0.1, 0.1, 0.5, 0.5], 0.9, 0), ([0.2, 0.6, 0.9, 0.9], 0.4, 1)


def test_parity_counts_what_is_found_again_whatever_its_order() -> None:
    parity = compare([arrays(ONE, OTHER)], [arrays(OTHER, ONE)])
    assert parity.holds and (parity.detections, parity.found) == (2, 1.0)
    assert parity.score_difference == 0 and parity.box_difference == 0


@pytest.mark.parametrize(
    "got",
    [
        arrays(ONE),
        arrays(ONE, (OTHER[0], 0.4, 2)),
        arrays(ONE, ([0.25, 0.6, 0.9, 0.9], 0.4, 1)),
        arrays(ONE, (OTHER[0], 0.41, 1)),
        arrays(),
    ],
    ids=["missing", "another class", "another place", "another score", "nothing"],
)
def test_parity_does_not_hold_where_something_differs(got: dict[str, Any]) -> None:
    assert not compare([arrays(ONE, OTHER)], [got]).holds


def test_nothing_found_proves_nothing() -> None:
    assert not compare([arrays()], [arrays()]).holds
