"""SSD MobileNet v2 out of TFLite files: our own networks written by TensorFlow's converter."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from detector.importers import import_file, inspect_file
from detector.networks.catalog import build_network, new_card
from detector.networks.weights import assign_weights
from tests.detector.random_networks import random_weights


def swapped(array: Any) -> Any:
    """Offsets as the Object Detection API has them: ty, tx, th, tw."""
    by_anchor = array.reshape(*array.shape[:-1], -1, 4)
    return by_anchor[..., [1, 0, 3, 2]].reshape(array.shape)


@pytest.mark.timeout(300)  # the converter takes its time where other work keeps the processor busy
@pytest.mark.parametrize(
    ("architecture", "what"),
    [
        ("ssdlite300-mobilenet-v2", "SSDLite MobileNet v2"),
        pytest.param("ssd300-mobilenet-v2", "SSD MobileNet v2", marks=pytest.mark.slow),
    ],
)
def test_a_float_file_comes_back_bit_for_bit(architecture: str, what: str, tmp_path: Path) -> None:
    card = new_card(
        architecture, name="x", classes=["apple", "pear"], input_size=(64, 96), options={"folded": True}
    )
    network = build_network(card)
    weights = random_weights(network, seed=5)
    assign_weights(network, {name: swapped(a) if "_offsets/" in name else a for name, a in weights.items()})
    answers = [network.output["offsets"], keras.ops.sigmoid(network.output["logits"])]
    inner = keras.Model(network.get_layer("picture_scaling").output, answers)
    path, names = tmp_path / "fruit.tflite", tmp_path / "fruit.txt"
    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(inner).convert())
    names.write_text("apple\npear\n")

    imported = import_file(path, name="x", classes_file=names)
    assert (imported.card.architecture, imported.card.options) == (architecture, {"folded": True})
    assert imported.card.anchors == card.anchors and imported.card.score_activation == "sigmoid"
    assert imported.weights.keys() == weights.keys()
    for name, expected in weights.items():
        np.testing.assert_array_equal(imported.weights[name], expected, err_msg=name)
    assert f"{what} of the TensorFlow Object Detection API, float: 64x96" in inspect_file(path).looks_like
