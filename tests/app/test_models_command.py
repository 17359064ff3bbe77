"""`models` as a person meets it: what it prints, where, and with which exit code."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.model_store import find_model, read_weights, save_model
from detector.networks.catalog import new_card
from detector.places import user_model_folder
from main import main

pytestmark = pytest.mark.usefixtures("nothing_ships")


def save(name: str) -> None:
    card = new_card("ssd300-mobilenet-v1", name=name, classes=["person", "car"], options={"width": 0.5})
    save_model(card, {"Conv2d_0/kernel": np.zeros((3, 3, 3, 16), np.float32)})


def test_without_models_the_list_says_how_to_get_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    assert "models import FILE --as NAME" in capsys.readouterr().out
    assert main(["models", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["models"] == []


def test_the_list_has_a_line_for_each_model_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    save("street")
    save("helmets")
    assert main(["models", "list"]) == 0
    heads, *lines = capsys.readouterr().out.partition("\n\n")[0].splitlines()
    assert heads.split() == ["name", "architecture", "input", "classes", "size", "from"]
    assert [line.split() for line in lines] == [
        ["helmets", "ssd300-mobilenet-v1", "300x300", "2", "0.0", "MB", "you"],
        ["street", "ssd300-mobilenet-v1", "300x300", "2", "0.0", "MB", "you"],
    ]


def test_the_list_says_what_can_be_had_and_what_each_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert lines["mobilenet-ssd-voc-caffe"].endswith("VOC 2007 mAP 72.7 %  23.2 MB   nothing")
    assert lines["ssd300-vgg16-voc-amdegroot"].endswith("77.4 %  –         --unverified")
    assert lines["ssd300-vgg16-voc-rykov8"].endswith("a browser")
    assert main(["models", "list", "--json"]) == 0
    published = {each["name"]: each for each in json.loads(capsys.readouterr().out)["published"]}
    assert published["mobilenet-ssd-voc-caffe"]["files"][0]["size"] == 23147564


def test_the_list_for_programs_says_what_a_program_needs(capsys: pytest.CaptureFixture[str]) -> None:
    save("street")
    assert main(["models", "list", "--json"]) == 0
    (model,) = json.loads(capsys.readouterr().out)["models"]
    assert (model["name"], model["input_size"], model["anchors"]) == ("street", [300, 300], 1917)
    assert model["classes"] == ["person", "car"] and not model["ships"]
    assert Path(model["card"]) == user_model_folder() / "street.json"
    assert model["bytes"] == (user_model_folder() / "street.h5").stat().st_size


def test_a_model_is_shown_for_people_and_as_its_card(capsys: pytest.CaptureFixture[str]) -> None:
    save("street")
    assert main(["models", "show", "street"]) == 0
    shown = capsys.readouterr().out
    for words in (
        "ssd300-mobilenet-v1 (width 0.5, folded False)",
        "300x300, RGB, 1917 anchors",
        "2: person, car",
    ):
        assert words in shown
    assert main(["models", "show", "street", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(
        (user_model_folder() / "street.json").read_text()
    )


def test_a_model_for_fewer_classes_is_made_of_another(capsys: pytest.CaptureFixture[str]) -> None:
    save("street")
    command = ["models", "subsample", "street", "--classes", "car=van,car", "--add", "tram", "--as", "vans"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "Saved as 'vans', 3 classes" in said and "train --from vans" in said
    assert find_model("vans").card.classes == ("van", "car", "tram")
    assert main(command) == 1
    assert "There is a model 'vans'" in capsys.readouterr().err


def test_a_model_whose_weights_are_gone_is_listed_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    save("street")
    (user_model_folder() / "street.h5").unlink()
    assert main(["models", "list"]) == 0
    assert "missing" in capsys.readouterr().out
    assert main(["models", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["models"][0]["bytes"] is None


def test_a_card_that_cannot_be_read_is_told_and_the_others_are_listed(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    save("street")
    (user_model_folder() / "half.json").write_text('{"name": "half"')
    assert main(["models", "list"]) == 0
    assert "half.json cannot be read" in caplog.text and len(caplog.records) == 1
    assert "street" in capsys.readouterr().out
    assert main(["models", "show", "half"]) == 1
    said = capsys.readouterr().err
    assert "half.json cannot be read" in said and said.count("\n") == 1


def test_two_models_of_one_name_are_both_listed_and_neither_is_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save("street")
    shutil.copytree(user_model_folder(), tmp_path / "ships")
    monkeypatch.setattr("detector.model_store.builtin_model_folder", lambda: tmp_path / "ships")
    assert main(["models", "list"]) == 0
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()[1:3]] == ["you", "Studio"]
    for command in (["show", "street"], ["subsample", "street", "--classes", "car", "--as", "cars"]):
        assert main(["models", *command]) == 1
        assert "Two models are called 'street'" in capsys.readouterr().err


def test_what_cannot_be_done_is_one_sentence_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save("street")
    text = tmp_path / "letter.tflite"
    text.write_text("Dear Sir or Madam")
    for arguments, words in (
        (["show", "stret"], "did you mean 'street'?"),
        (["import", str(text), "--as", "letter"], "letter.tflite is no file of weights known here"),
        (["import", str(text), "--as", "street"], "There is a model 'street'"),
        (["import", str(text), "--as", "a/b"], "A model cannot be called 'a/b'"),
        (["import", str(tmp_path / "none"), "--as", "x"], "cannot be read: No such file"),
    ):
        assert main(["models", *arguments]) == 1
        said = capsys.readouterr()
        assert said.out == "" and said.err.count("\n") == 1
        assert said.err.startswith("error: ") and words in said.err


@pytest.mark.parametrize("arguments", [[], ["lsit"], ["import", "x.tflite"], ["show"]])
def test_wrong_use_is_a_usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["models", *arguments])
    assert stop.value.code == 2
    assert "usage: " in capsys.readouterr().err


def test_a_real_file_is_imported_and_the_command_says_what_it_found(
    shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = shared / "models" / "coco_ssd_mobilenet_v1_quant.tflite"
    assert main(["models", "import", str(file), "--as", "coco"]) == 0
    said = capsys.readouterr().out
    assert "width 0.75" in said and "coco-90.txt" in said and "80 classes remain" in said
    assert f"Saved as 'coco': {user_model_folder() / 'coco.json'}" in said
    assert main(["models", "list", "--json"]) == 0
    (model,) = json.loads(capsys.readouterr().out)["models"]
    assert len(model["classes"]) == 80 and model["licence"] == "Apache-2.0"

    names = shared / "models" / "coco_labelmap.txt"
    again = ["models", "import", str(file), "--as", "coco", "--classes", str(names), "--force"]
    assert main(again) == 0
    assert f"Classes named by {names}." in capsys.readouterr().out


def test_the_example_in_the_help_of_import_can_be_copied(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["models", "import", "--help"])
    example = "  python main.py models import coco_ssd_mobilenet_v1_quant.tflite --as coco"
    assert example in capsys.readouterr().out.splitlines()


def test_a_compact_copy_has_half_the_bytes_and_the_same_weights_to_three_digits(
    capsys: pytest.CaptureFixture[str],
) -> None:
    kernel = np.random.default_rng(0).normal(size=(3, 3, 256, 64)).astype(np.float32)
    card = new_card("ssd300-mobilenet-v1", name="street", classes=["car"])
    street = save_model(card, {"Conv2d_0/kernel": kernel})
    assert main(["models", "compact", "street", "--as", "small"]) == 0
    small = find_model("small")
    assert 0.49 < small.weights_path.stat().st_size / street.weights_path.stat().st_size < 0.52
    np.testing.assert_allclose(read_weights(small)["Conv2d_0/kernel"], kernel, rtol=1e-3, atol=1e-4)

    save_model(replace(card, name="wild"), {"Conv2d_0/kernel": kernel * 1e5})
    assert main(["models", "compact", "wild", "--as", "tame"]) == 1
    assert "Conv2d_0/kernel goes beyond 65504" in capsys.readouterr().err


def test_the_mean_of_models_has_the_mean_of_their_weights(capsys: pytest.CaptureFixture[str]) -> None:
    card = new_card("ssd300-mobilenet-v1", name="one", classes=["car"], options={"width": 0.5})
    for name, value in (("one", 1.0), ("two", 2.0), ("six", 6.0)):
        save_model(replace(card, name=name), {"Conv2d_0/kernel": np.full((3, 3, 3, 16), value, np.float32)})
    assert main(["models", "average", "one", "two", "six", "--as", "mean"]) == 0
    mean = find_model("mean")
    assert np.all(read_weights(mean)["Conv2d_0/kernel"] == 3)
    assert mean.card.origin.startswith("mean of the weights of one, two, six") and not mean.card.measured

    save_model(replace(card, name="dogs", classes=("dog",)), read_weights(mean))
    assert main(["models", "average", "one", "dogs", "--as", "both"]) == 1
    assert "'one' and 'dogs' cannot be averaged: their classes differ" in capsys.readouterr().err
    assert main(["models", "average", "one", "--as", "both"]) == 1


def test_inspect_lists_the_arrays_and_says_what_the_file_looks_like(
    shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(shared / "models" / "ultraface" / "RFB-320.caffemodel")
    assert main(["models", "inspect", file]) == 0
    heads, first, *_, count, words = capsys.readouterr().out.splitlines()
    assert heads.split() == ["array", "shape", "kind"]
    assert first.split() == ["245", "(Convolution)", "0", "16x3x3x3", "float32"]
    assert count == "RFB-320.caffemodel is a Caffe model (new form: 'layer'): 104 arrays, 273,888 numbers."
    assert "ends in boxes, scores" in words

    assert main(["models", "inspect", "--json", file]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert seen["numbers"] == 273_888 and seen["arrays"][0]["shape"] == [16, 3, 3, 3]


def test_what_a_file_does_not_say_is_said_with_options(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = tmp_path / "signs.txt"
    names.write_text("big_sign\n")
    file = str(shared / "models" / "ssd7" / "ssd7_bigsign_400x300_weights.h5")
    command = ["models", "import", file, "--as", "signs", "--classes", str(names)]
    assert main(command) == 1
    assert "say it with --anchors: ssd7-300x480" in capsys.readouterr().err
    assert main([*command, "--anchors", "ssd7-300x480", "--input-size", "300x400"]) == 0
    assert "300x400 pixels, 8504 anchors, 1 class." in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*command, "--input-size", "300"])
    assert "write height x width, such as 300x480" in capsys.readouterr().err
