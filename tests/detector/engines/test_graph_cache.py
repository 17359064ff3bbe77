"""Converting once, in a process of its own, and what may go wrong on the way."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.engines.graph_cache import cached_graph, graph_path
from detector.engines.graph_file import read_graph
from detector.errors import EngineError
from detector.model_store import Model
from tests.detector.engines.conftest import OPEN_AND_SAY, ROOT, run_python

VERSION = "2026.1.0-1"


def test_the_process_that_opens_the_engine_first_converts_in_another_and_says_so(
    first_opening: dict[str, Any],
) -> None:
    assert first_opening["device"] == "OpenVINO CPU float32"
    assert first_opening["loaded"] == ["openvino"]
    assert len(first_opening["words"]) == 1
    assert "'small'" in first_opening["words"][0]


def test_a_second_opening_imports_neither_tensorflow_nor_keras_and_waits_for_nothing(
    small: Model, engine_home: Path
) -> None:
    opened = run_python(OPEN_AND_SAY, "openvino", "float32", home=engine_home)
    said = json.loads(opened.stdout)
    assert (said["loaded"], said["words"]) == (["openvino"], [])


def test_openvino_is_loaded_without_its_reporting(first_opening: dict[str, Any]) -> None:
    assert first_opening["reporting"] == []


def test_a_damaged_graph_is_made_again_with_a_word(
    small: Model, engine_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    shutil.copytree(engine_home, tmp_path / "home")
    monkeypatch.setenv("SSD_STUDIO_HOME", str(tmp_path / "home"))
    (path,) = (tmp_path / "home" / "cache" / "openvino").iterdir()
    whole = read_graph(path)
    path.write_bytes(path.read_bytes()[:10_000])

    words: list[str] = []
    caplog.set_level(logging.WARNING)
    version = path.name.removesuffix(".graph").split("openvino-")[1]
    made = cached_graph(small, precision="float32", openvino_version=version, notify=words.append)

    np.testing.assert_array_equal(made.weights, whole.weights)
    assert list(path.parent.iterdir()) == [path]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert path.name in caplog.text
    assert "damaged" in words[0]


def test_graphs_that_nobody_used_for_long_go_when_one_is_made(
    small: Model, engine_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(engine_home, tmp_path / "home")
    monkeypatch.setenv("SSD_STUDIO_HOME", str(tmp_path / "home"))
    (path,) = (tmp_path / "home" / "cache" / "openvino").iterdir()
    version = path.name.removesuffix(".graph").split("openvino-")[1]
    days = {"forgotten": 91, "recent": 89}
    for name, age in days.items():
        other = path.with_name(f"{name}.graph")
        other.write_bytes(b"")
        os.utime(other, (time.time() - age * 86400,) * 2)
    os.utime(path, (0, 0))

    cached_graph(small, precision="float32", openvino_version=version, notify=print)
    assert time.time() - path.stat().st_mtime < 3600  # it was used
    path.unlink()
    cached_graph(small, precision="float32", openvino_version=version, notify=print)
    assert sorted(each.name for each in path.parent.iterdir()) == sorted([path.name, "recent.graph"])


def test_weights_that_are_missing_are_named_in_one_sentence(small: Model, tmp_path: Path) -> None:
    moved = Model(replace(small.card, weights_sha256="0" * 64), tmp_path)
    with pytest.raises(EngineError, match=r"'small' could not be converted .*small\.h5.* missing\.$"):
        cached_graph(moved, precision="float32", openvino_version=VERSION, notify=print)


def test_weights_precision_version_and_shape_each_have_a_graph_of_their_own(small: Model) -> None:
    card = small.card
    cards = [
        card,
        replace(card, weights_sha256="1" * 64),
        replace(card, options={"width": 0.75, "folded": False}),
        replace(card, score_activation="softmax"),
        replace(card, mean=(0.0, 0.0, 0.0)),
        replace(card, classes=("a", "b")),
    ]
    paths = {
        graph_path(Model(each, small.folder), precision="float32", openvino_version=VERSION) for each in cards
    }
    paths.add(graph_path(small, precision="int8", openvino_version=VERSION))
    paths.add(graph_path(small, precision="float32", openvino_version="2026.2.0-1"))
    assert len(paths) == len(cards) + 2


def test_names_and_thresholds_need_no_new_graph(small: Model) -> None:
    same = replace(
        small.card,
        name="other",
        classes=("x", "y", "z"),
        min_score=0.1,
        nms_iou=0.9,
        measured={"voc07_map": 0.5},
    )
    usual = graph_path(small, precision="float32", openvino_version=VERSION)
    assert graph_path(Model(same, small.folder), precision="float32", openvino_version=VERSION) == usual


def children_of(parent: int) -> list[int]:
    """Process numbers; the second word after the command's closing parenthesis is the parent's."""
    children = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if int(text.rsplit(")", 1)[1].split()[1]) == parent:
            children.append(int(status.parent.name))
    return children


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: Any, seconds: float = 30.0) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)  # between two looks, not instead of one
    raise AssertionError("waited in vain")


def has_tensorflow(process: int) -> bool:
    try:
        return "tensorflow" in Path(f"/proc/{process}/maps").read_text()
    except OSError:  # one that has ended: the parent may ask others for a moment
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_the_conversion_ends_with_the_process_that_asked_for_it(small: Model, tmp_path: Path) -> None:
    shutil.copytree(small.folder, tmp_path / "models")
    parent = subprocess.Popen(
        [sys.executable, "-c", OPEN_AND_SAY, "openvino", "float32"],
        cwd=ROOT,
        env=os.environ | {"SSD_STUDIO_HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    # Only once it converts: a process that has not read its card yet ends at the empty line by itself.
    (child,) = wait_until(lambda: [each for each in children_of(parent.pid) if has_tensorflow(each)])
    os.kill(child, signal.SIGSTOP)  # a conversion can be deaf for seconds: it must not have to do anything
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not is_running(child), 5.0)
    assert not list(tmp_path.glob("cache/**/*.graph"))


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_conversion_that_is_not_wanted_any_more_ends_at_once(
    small: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSD_STUDIO_HOME", str(tmp_path))
    others = children_of(os.getpid())  # another test may have left a decoder waiting
    seen: list[int] = []

    def wanted() -> bool:
        seen.extend(child for child in children_of(os.getpid()) if child not in others)
        return not seen

    with pytest.raises(EngineError, match="'small' could not be converted"):
        cached_graph(small, precision="float32", openvino_version=VERSION, notify=print, wanted=wanted)
    assert seen and not any(map(is_running, seen))
