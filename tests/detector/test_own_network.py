"""docs/own-network.md does what it says."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from detector.anchor_layouts import LAYOUTS
from detector.errors import ModelError
from detector.model_store import save_model
from detector.networks.catalog import build_network, find_architecture, load_network, new_card
from detector.networks.weights import weights_of
from detector.places import network_folder

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "own-network.md").read_text(encoding="utf-8")
(FILE,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(COMMAND,) = re.findall(r"^ {4}python main\.py (.*)$", PAGE, re.MULTILINE)


def write(name: str, text: str) -> None:
    network_folder().mkdir(parents=True, exist_ok=True)
    (network_folder() / f"{name}.py").write_text(text, encoding="utf-8")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    LAYOUTS.pop("street4", None)
    for name in [name for name in sys.modules if name.startswith("own_networks.")]:
        del sys.modules[name]


def test_the_file_of_the_page_is_an_architecture_like_any_other(tmp_path: Path) -> None:
    write("street4", FILE)
    card = new_card("street4", name="mine", classes=["car"], options={"channels": 4})
    network = build_network(card)
    picture = np.full((1, 256, 256, 3), 90, np.float32)
    answers = network(picture)
    assert answers["offsets"].shape == (1, 4 * (32**2 + 16**2 + 8**2), 4)
    again = load_network(save_model(card, weights_of(network), folder=tmp_path))(picture)
    np.testing.assert_array_equal(np.asarray(again["logits"]), np.asarray(answers["logits"]))
    with pytest.raises(ModelError, match="did you mean 'street4'"):
        find_architecture("street3")


def test_pictures_of_another_size_get_anchors_that_fit() -> None:
    write("street4", FILE)
    card = new_card("street4", name="wide", classes=["car"], input_size=(120, 200))
    assert card.anchors.map_shapes == ((15, 25), (8, 13), (4, 7))
    build_network(card)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import keras\nnothing", "NameError: name 'nothing' is not defined"),
        ("x = (", "SyntaxError"),
        ("x = 1", "must set ARCHITECTURE"),
        (FILE.replace('name="street4"', 'name="street5"'), "whose name is 'street4'"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(text: str, words: str) -> None:
    write("street4", text)
    with pytest.raises(ModelError, match=words):
        find_architecture("street4")


def test_a_card_cannot_name_a_file_elsewhere(tmp_path: Path) -> None:
    network_folder().mkdir(parents=True)
    (network_folder().parent / "outside.py").write_text("raise SystemExit", encoding="utf-8")
    with pytest.raises(ModelError, match="There is no architecture"):
        find_architecture("../outside")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_command_of_the_page_trains_it_and_its_model_finds_its_way(shared: Path, tmp_path: Path) -> None:
    write("street4", FILE)
    command = COMMAND.replace("VOC2007", str(shared / "data" / "voc2007")).split()
    for arguments in (
        command,
        ["detect", str(shared / "video" / "traffic.mp4"), "--model", "street", "--max-frames", "5"],
    ):
        done = subprocess.run(
            [sys.executable, str(ROOT / "main.py"), *arguments], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
