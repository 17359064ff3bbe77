"""Batches: the same for the same seed, however they are made; every picture decoded once."""

import os
import subprocess
import sys
import threading
import time
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from detector.errors import SourceError
from tests.trainer.shapes import shapes, small_card
from trainer.augmentation import chain
from trainer.example_source import ExampleSource
from trainer.loading import Batch, Loader, sample_at
from trainer.picture_cache import PictureCache
from trainer.targets import TargetCoder


def _loader(examples: Any, **changes: Any) -> Loader:
    joined = {name: changes.pop(name) for name in ("mosaic", "mixup") if name in changes}
    source = ExampleSource(
        examples=examples,
        cache=changes.pop("cache", None) or PictureCache(examples, longest_side=384),
        chain=chain("original", height=96, width=96),
        **joined,
    )
    settings = {"height": 96, "width": 96, "rgb": True, "batch": 5, "seed": 3, "workers": 2, **changes}
    return Loader(source=source, coder=TargetCoder(small_card()), **settings)


def _taken(loader: Loader, count: int, first: int = 0, **settings: Any) -> list[Batch]:
    with closing(loader.batches(first, **settings)) as batches:
        return list(islice(batches, count))


def _assert_same(one: list[Batch], other: list[Batch]) -> None:
    assert [batch.number for batch in one] == [batch.number for batch in other]
    for a, b in zip(one, other):
        assert a.names == b.names
        assert np.array_equal(a.pictures, b.pictures)
        assert np.array_equal(a.offsets, b.offsets)
        assert np.array_equal(a.class_ids, b.class_ids)


@pytest.mark.parametrize("joined", [{}, {"mosaic": 0.5, "mixup": 0.5}])
def test_batches_depend_on_the_seed_and_not_on_threads_or_on_what_came_before(
    tmp_path: Path, joined: Any
) -> None:
    examples = shapes(tmp_path)
    batches = _taken(_loader(examples, workers=1, ahead=0, **joined), 8)
    _assert_same(batches, _taken(_loader(examples, workers=4, ahead=5, **joined), 8))
    _assert_same(batches[5:], _taken(_loader(examples, **joined), 3, first=5))
    _assert_same(batches, _taken(_loader(examples, processes=True, **joined), 8))
    other = _taken(_loader(examples, seed=4, **joined), 1)
    assert not np.array_equal(batches[0].pictures, other[0].pictures)


def test_every_picture_comes_once_in_each_round() -> None:
    rounds = [[sample_at(turn * 7 + place, 7, seed=1) for place in range(7)] for turn in range(3)]
    assert [sorted(numbers) for numbers in rounds] == [list(range(7))] * 3
    assert rounds[0] != rounds[1]


def test_nothing_is_joined_in_batches_for_which_that_is_over(tmp_path: Path) -> None:
    examples = shapes(tmp_path)
    plain = _taken(_loader(examples), 4)
    ending = _taken(_loader(examples, mosaic=1.0), 4, joined=lambda number: number < 2)
    assert not np.array_equal(ending[1].pictures, plain[1].pictures)
    _assert_same(ending[2:], plain[2:])


def test_joined_pictures_hold_the_objects_of_several(tmp_path: Path) -> None:
    examples = [each for each in shapes(tmp_path) if len(each)]
    several = {}
    for name, shares in {"plain": {}, "mosaic": {"mosaic": 1.0}, "mixup": {"mixup": 1.0}}.items():
        batches = _taken(_loader(examples, **shares), 8)
        several[name] = np.mean([(batch.class_ids > 0).sum() for batch in batches])
    assert several["mosaic"] > 1.3 * several["plain"]
    assert several["mixup"] > 1.3 * several["plain"]


def test_closing_the_batches_ends_their_threads(tmp_path: Path) -> None:
    before = threading.active_count()
    _taken(_loader(shapes(tmp_path), workers=4), 2)
    assert threading.active_count() == before


def test_processes_keep_their_pictures_together(tmp_path: Path) -> None:
    examples = shapes(tmp_path)
    cache = PictureCache(examples, longest_side=384, memory=0)
    assert cache.place == "disk"
    _taken(_loader(examples, cache=cache, processes=True), 4)  # more than one round
    for example in examples:
        example.path.unlink()
    for number in range(len(examples)):
        assert cache.read(number).any()


_A_TRAINING = """
import sys
from contextlib import closing
from pathlib import Path
from tests.trainer.test_loading import _loader
from trainer.datasets import open_dataset

if __name__ == "__main__":
    loader = _loader(open_dataset(Path(sys.argv[1]), split="train").examples, processes=True)
    with closing(loader.batches()) as batches:
        next(batches)
        print("ready", flush=True)
        sys.stdin.read()
"""


def test_processes_end_when_their_training_is_killed(tmp_path: Path) -> None:
    shapes(tmp_path)
    script = tmp_path / "training.py"
    script.write_text(_A_TRAINING)
    command = [sys.executable, str(script), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as training:
        assert training.stdout is not None
        assert training.stdout.readline() == "ready\n"
        workers = [path for path in Path("/proc").glob("[0-9]*") if _parent(path) == training.pid]
        assert len(workers) >= 2
        training.kill()
    deadline = time.monotonic() + 20
    while any(path.exists() and _parent(path) is not None for path in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _parent(process: Path) -> int | None:
    """The parent's number; None for a process that has ended."""
    try:
        state, parent = (process / "stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return None
    return None if state == "Z" else int(parent)


def test_a_picture_that_vanished_stops_with_its_name(tmp_path: Path) -> None:
    examples = shapes(tmp_path)
    examples[3].path.unlink()
    with pytest.raises(SourceError, match=examples[3].path.name):
        _taken(_loader(examples), 4)


def test_channels_stand_as_the_network_takes_them(tmp_path: Path) -> None:
    examples = shapes(tmp_path)
    (rgb,), (bgr,) = (_taken(_loader(examples, rgb=rgb), 1) for rgb in (True, False))
    assert np.array_equal(rgb.pictures, bgr.pictures[..., ::-1])


@pytest.mark.parametrize(("memory", "place"), [(None, "memory"), (0, "disk")])
def test_a_picture_is_decoded_once_wherever_it_is_kept(
    tmp_path: Path, memory: int | None, place: str
) -> None:
    examples = shapes(tmp_path)
    cache = PictureCache(examples, longest_side=384, memory=memory)
    assert cache.place == place
    for number, example in enumerate(examples):
        pixels = cv2.imread(str(example.path))
        assert np.array_equal(cache.read(number), pixels)
        example.path.unlink()
        assert np.array_equal(cache.read(number), pixels)


def test_where_neither_memory_nor_disk_has_room_every_picture_is_decoded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    examples = shapes(tmp_path)

    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    cache = PictureCache(examples, longest_side=384, memory=0)
    assert cache.place == "nowhere"
    assert "No room" in caplog.text
    assert np.array_equal(cache.read(1), cv2.imread(str(examples[1].path)))


def test_large_pictures_are_kept_shrunk_and_their_boxes_with_them(tmp_path: Path) -> None:
    examples = shapes(tmp_path, side=400)
    source = ExampleSource(
        examples=examples,
        cache=PictureCache(examples, longest_side=100),
        chain=chain("none", height=96, width=96),
    )
    sample = source.stored(0)
    assert sample.pixels.shape == (100, 100, 3)
    np.testing.assert_allclose(sample.boxes, examples[0].boxes / 4, rtol=1e-6)


def test_hard_objects_are_learnt_unless_told_otherwise(tmp_path: Path) -> None:
    examples = shapes(tmp_path)
    hard = next(each for each in examples if len(each))
    object.__setattr__(hard, "difficult", np.ones(len(hard), bool))
    cache = PictureCache([hard], longest_side=384)
    steps = chain("none", height=96, width=96)
    ignored = {
        choice: ExampleSource(examples=[hard], cache=cache, chain=steps, difficult=choice).stored(0).ignored
        for choice in ("train", "ignore")
    }
    assert not ignored["train"].any()
    assert ignored["ignore"].all()
