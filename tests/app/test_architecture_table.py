"""`models list --markdown`: the architectures side by side."""

import pytest

from app.benchmark.architectures import Comparison, compare, markdown
from detector.networks.architectures import ARCHITECTURES


def test_the_table_says_of_each_architecture_what_it_is_and_whose_weights_there_are() -> None:
    row = Comparison(
        name="ssd300-vgg16",
        input_size=(300, 300),
        anchors=8732,
        parameters=34_305_206,
        giga=69.4,
        tensorflow_ms=314.0,
        openvino_ms=144.25,
        device="OpenVINO CPU bfloat16",
    )
    heads, rule, line = markdown([row]).splitlines()
    assert heads.count("|") == rule.count("|") == line.count("|")
    assert line.startswith(
        "| ssd300-vgg16 | 300x300 | 8732 | 34.31 M | 69.40 | 314.0 ms | 144.2 ms | VOC07 77.2, COCO 25.1 | "
    )
    assert all(each.weights for each in ARCHITECTURES.values())


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_architecture_is_measured_in_tensorflow_and_in_openvino() -> None:
    (row,) = compare(["ssd7"], rounds=1)
    assert (row.input_size, row.anchors) == ((300, 480), 11692)
    assert row.tensorflow_ms > 0 and row.openvino_ms > 0 and "OpenVINO" in row.device
