"""Label files with wrong bytes in them: always examples or a sentence, never a traceback."""

import contextlib
import json
from itertools import product

import numpy as np
import pytest

from detector.errors import StudioError
from detector.values import LabelMap
from tests.trainer.test_formats import random_examples
from trainer.datasets import survey
from trainer.datasets.opening import survey_mended
from trainer.datasets.writing import FORMATS, write_dataset

_BYTES = b"0123456789.-+eE\"'{}[]<>/,:; \n\x00\xff#&!*naninf\xc3"


def _damage(content: bytes, random: np.random.Generator) -> bytes:
    """A few bytes replaced, inserted, deleted; sometimes the rest cut off."""
    damaged = bytearray(content)
    for _ in range(int(random.integers(1, 5))):
        at = int(random.integers(0, max(1, len(damaged))))
        length = int(random.integers(0, 4))
        some = bytes(random.choice(list(_BYTES), int(random.integers(0, 4))).astype(np.uint8))
        damaged[at : at + length] = some
    return bytes(damaged[: int(random.integers(0, len(damaged) + 1))] if random.random() < 0.1 else damaged)


@pytest.mark.parametrize("format", FORMATS)
def test_damaged_label_files_give_examples_or_a_sentence(tmp_path, format):
    parts = random_examples(tmp_path / "pictures")
    folder = tmp_path / "new"
    write_dataset(parts, LabelMap(("zebra", "ant", "cat")), folder, format=format)
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".xml", ".json", ".yaml", ".txt", ".csv")
    ]
    random = np.random.default_rng(1)
    understood = 0
    for _ in range(150):
        path = files[int(random.integers(len(files)))]
        content = path.read_bytes()
        path.write_bytes(_damage(content, random))
        with contextlib.suppress(StudioError):
            for read, split in product((survey, survey_mended), (None, "train")):
                dataset = read(folder, split=split)
                understood += 1
                for example in dataset.examples:
                    assert np.isfinite(example.boxes).all()
                    assert (example.boxes[:, 2:] > example.boxes[:, :2]).all()
                assert all(str(flaw) for flaw in dataset.flaws)
        path.write_bytes(content)
    assert understood > 25  # or nothing was tried but files that are refused as a whole


def _exchange(value, random: np.random.Generator):
    """A copy of a JSON value in which a few parts are something else."""
    strange = [None, "x", -1, 1e308, True, [], {}, [1], {"a": 1}]
    if random.random() < 0.01:
        return strange[int(random.integers(len(strange)))]
    if isinstance(value, dict):
        kept = {key: each for key, each in value.items() if random.random() > 0.005}
        return {key: _exchange(each, random) for key, each in kept.items()}
    if isinstance(value, list):
        return [_exchange(each, random) for each in value]
    return value


def test_json_of_another_shape_gives_examples_or_a_sentence(tmp_path):
    folder = tmp_path / "new"
    write_dataset(random_examples(tmp_path / "pictures"), LabelMap(("a", "b", "c")), folder, format="coco")
    file = folder / "annotations" / "instances_train.json"
    content = json.loads(file.read_text())
    random = np.random.default_rng(2)
    understood = 0
    for _ in range(150):
        file.write_text(json.dumps(_exchange(content, random)))
        with contextlib.suppress(StudioError):
            for read in (survey, survey_mended):
                assert all(str(flaw) for flaw in read(folder, split="train").flaws)
            understood += 1
    assert understood > 25
