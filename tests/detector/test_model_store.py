"""Models on disk: whole or not there, found by name, and every wrong card answered in words."""

import json
import logging
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from detector import model_store
from detector.anchor_layouts import LAYOUTS
from detector.errors import ModelError
from detector.model_card import ModelCard, is_model_name
from detector.model_store import default_model, find_model, list_models, read_model, read_weights, save_model
from detector.places import user_model_folder

pytestmark = pytest.mark.usefixtures("nothing_ships")

WEIGHTS = {
    "Conv2d_0/kernel": np.arange(12, dtype=np.float32).reshape(3, 4),
    "Conv2d_0/bias": np.float32([0.1, -7]),
}


def card(name: str = "street", **fields: Any) -> ModelCard:
    usual: dict[str, Any] = {
        "name": name,
        "architecture": "ssd300-mobilenet-v1",
        "options": {"width": 0.75, "folded": True},
        "input_size": (300, 300),
        "anchors": LAYOUTS["tf-ssd-300"],
        "channel_order": "RGB",
        "mean": (127.5, 127.5, 127.5),
        "scale": (1 / 127.5, 1 / 127.5, 1 / 127.5),
        "score_activation": "sigmoid",
        "classes": ("person", "traffic light"),
        "licence": "Apache-2.0",
        "origin": "a test",
        "measured": {"voc07_map": 0.5, "images": 600},
    }
    return ModelCard(**(usual | fields))


def test_what_is_saved_is_read_back_equal() -> None:
    saved = save_model(card(), WEIGHTS)
    found = find_model("street")
    assert found == saved and found.card == replace(card(), weights_sha256=found.card.weights_sha256)
    assert found.labels.names == ("person", "traffic light") and not found.ships
    weights = read_weights(found)
    assert weights.keys() == WEIGHTS.keys()
    assert all(np.array_equal(weights[name], WEIGHTS[name]) for name in WEIGHTS)
    assert sorted(path.name for path in user_model_folder().iterdir()) == ["street.h5", "street.json"]


def test_weights_in_half_precision_are_read_as_float32() -> None:
    model = save_model(card(), {name: array.astype(np.float16) for name, array in WEIGHTS.items()})
    kernel = read_weights(model)["Conv2d_0/kernel"]
    assert kernel.dtype == np.float32 and np.array_equal(kernel, WEIGHTS["Conv2d_0/kernel"])


def test_a_name_that_is_taken_is_only_replaced_on_demand() -> None:
    save_model(card(), WEIGHTS)
    with pytest.raises(ModelError, match=r"There is a model 'street' in .* already; --force"):
        save_model(card(origin="another"), WEIGHTS)
    assert find_model("street").card.origin == "a test"
    save_model(card(origin="another"), {"a/kernel": np.zeros(1)}, force=True)
    assert find_model("street").card.origin == "another"
    assert list(read_weights(find_model("street"))) == ["a/kernel"]


def test_a_save_that_fails_leaves_nothing_and_the_old_model_whole() -> None:
    save_model(card(), WEIGHTS)
    unwritable = {**WEIGHTS, "odd": np.array([object()])}
    with pytest.raises(TypeError):
        save_model(card(), unwritable, force=True)
    assert sorted(path.name for path in user_model_folder().iterdir()) == ["street.h5", "street.json"]
    assert read_weights(find_model("street")).keys() == WEIGHTS.keys()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_save_that_is_interrupted_leaves_no_model_and_the_next_none_of_its_parts(
    studio_home: Path, number: signal.Signals
) -> None:
    """A process that stops in the middle of writing, and how it is ended there."""
    code = (
        "import sys\n"
        "from detector.networks.catalog import new_card\n"
        "from detector.model_store import save_model\n"
        "class Weights(dict):\n"
        "    def items(self):\n"
        "        yield 'a/kernel', 1.0\n"
        "        print('writing', flush=True)\n"
        "        sys.stdin.read()\n"
        "save_model(new_card('ssd7', name='street', classes=['car']), Weights())\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with child:
        assert child.stdout is not None and child.stdout.readline() == b"writing\n"
        child.send_signal(number)
        child.wait(30)
    folder = user_model_folder()
    assert not list(folder.glob("street*"))
    save_model(card(), WEIGHTS)
    assert sorted(path.name for path in folder.iterdir()) == ["street.h5", "street.json"]


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ModelError, match="The model 'street' cannot be written to"):
        save_model(card(), WEIGHTS, folder=tmp_path / "file")


def test_what_the_system_refuses_is_said_in_its_own_few_words() -> None:
    model = save_model(card(), WEIGHTS)
    for path in (model.weights_path, model.card_path):
        path.unlink()
        path.mkdir()
        with pytest.raises(ModelError, match=rf"{path.name} cannot be read: Is a directory\. Import"):
            read_weights(find_model("street"))


def test_the_name_of_a_model_that_ships_is_not_given_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_store, "builtin_model_folder", lambda: tmp_path)
    save_model(card("everyday"), WEIGHTS, folder=tmp_path)
    assert find_model("everyday").ships
    with pytest.raises(ModelError, match="'everyday' is the name of a model that ships"):
        save_model(card("everyday"), WEIGHTS, force=True)
    save_model(card("other"), WEIGHTS)
    (user_model_folder() / "other.json").rename(user_model_folder() / "everyday.json")
    with pytest.raises(ModelError, match="Two models are called 'everyday'"):
        find_model("everyday")


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ModelError, match="There is no model 'street', nor any other: import one with"):
        find_model("street")
    save_model(card(), WEIGHTS)
    with pytest.raises(ModelError, match="There is no model 'stret'; did you mean 'street'"):
        find_model("stret")
    with pytest.raises(ModelError, match=r"There is no model 'x'; there are street\."):
        find_model("x")


def test_a_model_is_also_found_by_the_path_of_its_card(tmp_path: Path) -> None:
    saved = save_model(card(), WEIGHTS, folder=tmp_path)
    assert find_model(str(tmp_path / "street.json")) == saved
    with pytest.raises(ModelError, match="There is no model card"):
        find_model(str(tmp_path / "none.json"))


def test_one_unreadable_card_does_not_hide_the_others(caplog: pytest.LogCaptureFixture) -> None:
    save_model(card("b"), WEIGHTS)
    save_model(card("a"), WEIGHTS)
    (user_model_folder() / "broken.json").write_text('{"name": ')
    (user_model_folder() / "catalog.json").write_text("[]")  # what can be had, no model
    with caplog.at_level(logging.WARNING):
        assert [model.name for model in list_models()] == ["a", "b"]
    assert [record.getMessage().count("broken.json cannot be read") for record in caplog.records] == [1]


def test_weights_that_are_not_the_card_s_are_refused() -> None:
    model = save_model(card(), WEIGHTS)
    with h5py.File(model.weights_path, "r+") as file:
        file["Conv2d_0/bias"][0] = 5
    with pytest.raises(ModelError, match="not those the card was written for"):
        read_weights(model)
    model.weights_path.unlink()
    with pytest.raises(ModelError, match="of model 'street' are missing"):
        read_weights(model)


def test_a_file_of_weights_that_is_none_is_refused() -> None:
    model = save_model(card(), WEIGHTS)
    model.weights_path.write_bytes(b"no HDF5")
    fields = json.loads(model.card_path.read_text())
    fields["weights_sha256"] = model_store._sha256(model.weights_path)
    model.card_path.write_text(json.dumps(fields))
    with pytest.raises(ModelError, match="cannot be read"):
        read_weights(find_model("street"))


WRONG = {
    "name": ("other", "says its name is 'other'"),
    "architecture": (7, "architecture must be text, not 7"),
    "options": ({"width": [1]}, "options must be numbers, texts, true or false; width is"),
    "input_size": ([300], "input_size must be height and width"),
    "anchors": ({"maps": []}, "anchors of the model card lack 'image_size'"),
    "variances": ([0.1, 0.1], "variances must be 4 numbers, not 2"),
    "channel_order": ("GBR", "channel_order must be RGB or BGR, not 'GBR'"),
    "mean": ("grey", "mean must be a list of numbers"),
    "scale": ([1, 0, 1], "scale must not be 0"),
    "score_activation": ("relu", "score_activation must be softmax or sigmoid"),
    "classes": (["a", "a"], "classes must be names, each once"),
    "min_score": (1.5, "min_score must lie in 0..1, not 1.5"),
    "nms_iou": (True, "nms_iou must be a number, not True"),
    "max_detections": (0, "max_detections must be at least 1"),
    "measured": ([], "measured must be a JSON object"),
}


@pytest.mark.parametrize("field", WRONG)
def test_a_wrong_field_of_a_card_is_named(field: str) -> None:
    value, words = WRONG[field]
    path = save_model(card(), WEIGHTS).card_path
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(ModelError, match=words) as error:
        read_model(path)
    assert "street.json" in str(error.value)


def test_missing_and_unknown_fields_of_a_card_are_named() -> None:
    fields = card().to_json()
    with pytest.raises(ModelError, match="lacks nms_iou, licence;"):
        ModelCard.from_json({name: fields[name] for name in fields if name not in ("nms_iou", "licence")})
    with pytest.raises(ModelError, match="says colour, which this SSD Studio does not know"):
        ModelCard.from_json({**fields, "colour": "red"})
    with pytest.raises(ModelError, match="is a JSON object"):
        ModelCard.from_json([fields])


def test_anchors_must_be_for_the_card_s_pictures() -> None:
    with pytest.raises(ValueError, match="the anchors are for"):
        card(input_size=(320, 320))


@pytest.mark.parametrize("name", ["", "../x", "a b", ".hidden", "x.json", "x.h5", "catalog", "a" * 65])
def test_what_cannot_be_a_file_s_name_is_no_model_s_name(name: str) -> None:
    assert not is_model_name(name) and is_model_name("ssd300_VOC-07.v2")
    with pytest.raises(ModelError, match="cannot be called"):
        model_store.check_new_name(name)


def test_where_no_model_is_named_the_one_that_ships_or_the_only_one_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "weights"
    monkeypatch.setattr(model_store, "builtin_model_folder", lambda: shipped)
    with pytest.raises(ModelError, match="no model yet"):
        default_model()
    save_model(card("one"), WEIGHTS)
    assert default_model().name == "one"
    save_model(card("two"), WEIGHTS)
    with pytest.raises(ModelError, match="--model: one, two"):
        default_model()
    save_model(card("everyday"), WEIGHTS, folder=shipped)
    assert default_model().name == "everyday"
