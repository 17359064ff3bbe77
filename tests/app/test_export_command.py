"""`export` as a person meets it."""

from pathlib import Path

import numpy as np
import pytest

from detector.model_store import save_model
from detector.networks.catalog import new_card
from main import main


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and a model whose weights are not those of its network."""
    card = new_card("ssd300-mobilenet-v1", name="street", classes=["person"], options={"width": 0.25})
    save_model(card, {"Conv2d_0/kernel": np.zeros((3, 3, 3, 8), np.float32)})
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["street", "--format", "onx"], 2, "--format cannot be 'onx'; did you mean 'onnx'?"),
        (["street", "--format", "caffe"], 2, "it is one of onnx, saved-model, openvino, litert."),
        (["stret", "--format", "onnx"], 1, "did you mean 'street'?"),
        (["street", "--format", "litert", "--pictures", "nowhere"], 1, "nowhere"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(
    arguments: list[str], code: int, words: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", *arguments]) == code
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1 and "Traceback" not in said
    assert list(here.iterdir()) == []


def test_no_folder_is_replaced_that_no_export_made(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "street-litert").mkdir()
    (here / "street-litert" / "thesis.txt").write_text("ten years")
    for more, words in (([], "--force replaces it"), (["--force"], "not a folder that an export made")):
        assert main(["export", "street", "--format", "litert", *more]) == 2
        assert words in capsys.readouterr().err
    assert (here / "street-litert" / "thesis.txt").read_text() == "ten years"
