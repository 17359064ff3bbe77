"""`models quantise` as a person meets it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.model_store import find_model, rewrite_card, save_model
from detector.networks.catalog import new_card
from main import main
from tests.detector.engines.tiny import tiny_model
from tests.trainer.pictures import voc_file, voc_object


def test_what_cannot_be_done_is_one_sentence_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = new_card("ssd300-mobilenet-v1", name="street", classes=["person"], options={"width": 0.25})
    model = save_model(card, {"Conv2d_0/kernel": np.zeros((3, 3, 3, 8), np.float32)})
    rewrite_card(model, replace(model.card, int8_sha256="0" * 64))
    command = ["models", "quantise", "street", "--data", str(tmp_path)]
    for arguments, code, words in (
        (command, 1, "'street' has an 8-bit version already; --force replaces it"),
        ([*command, "--force"], 1, str(tmp_path)),
    ):
        assert main(arguments) == code
        said = capsys.readouterr().err
        assert words in said and said.count("\n") == 1 and "Traceback" not in said


def test_no_pictures_to_look_at_are_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["models", "quantise", "street", "--data", "photos", "--pictures", "0"])
    assert end.value.code == 2
    assert "--pictures: '0' is not a whole number of 1 or more" in capsys.readouterr().err


def test_a_model_that_finds_nothing_right_is_kept_only_where_the_person_insists(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("nncf")
    tiny_model()
    for stem in "pqrs":
        voc_file(tmp_path / "photos", stem, voc_object("a", 11, 6, 14, 9))
    command = ["models", "quantise", "small", "--data", str(tmp_path / "photos")]
    assert main(command) == 1
    said = capsys.readouterr()
    assert "VOC 2007 mAP on 4 pictures: 0.0000 in float32, 0.0000 in int8" in said.out
    assert "'small' finds nothing right on these pictures" in said.err
    assert find_model("small").card.int8_sha256 == ""

    assert main([*command, "--force"]) == 0
    assert main(["models", "show", "small"]) == 0
    shown = capsys.readouterr().out
    assert "8-bit version     mAP 0.0000, in float32 0.0000, on 4 pictures (photos)" in shown


@pytest.mark.slow
def test_a_real_model_is_quantised_measured_and_only_then_used(
    shared: Path, coco_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("nncf")
    monkeypatch.setenv("SSD_STUDIO_HOME", str(coco_home))
    data = ["--data", str(shared / "data" / "voc2007"), "--split", "val", "--pictures", "30"]
    command = ["models", "quantise", "coco", *data]
    assert main([*command, "--max-loss", "-1"]) == 1
    said = capsys.readouterr()
    assert "VOC 2007 mAP on" in said.out and "loses more than -1: it was not kept" in said.err
    assert find_model("coco").card.int8_sha256 == ""
    assert main(command) == 0
    card = find_model("coco").card
    assert card.int8_sha256 and card.measured["int8"]["images"] > 0
    assert main(["models", "show", "coco"]) == 0
    assert "8-bit version     mAP 0." in capsys.readouterr().out
    assert main(["models", "show", "coco", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["int8_sha256"] == card.int8_sha256
