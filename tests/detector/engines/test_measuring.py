"""Figures that people compare: what is counted, and what the parts of a call add up to."""

import pytest

from detector.engines.measuring import Way, measure, street, through_engine
from detector.model_store import find_model
from detector.values import Frame


def test_ways_take_turns_and_the_first_call_of_a_turn_does_not_count():
    order: list[str] = []

    def way(name: str) -> Way:
        def run() -> dict[str, float]:
            first = not order or order[-1] != name
            order.append(name)
            return {"network": 1000.0 if first else 1.0}

        return Way(name, "a loop", run)

    rows = measure([way("a"), way("b")], rounds=3)
    turns = [name for index, name in enumerate(order) if index == 0 or order[index - 1] != name]
    assert turns == ["a", "b"] * 3
    assert [row.stages["network"] for row in rows] == [(1.0, 1.0)] * 2
    assert sum(row.pictures for row in rows) == len(order) - 6


def test_a_call_takes_as_long_as_its_network_and_what_is_around_it(
    coco_home, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSD_STUDIO_HOME", str(coco_home))
    way = through_engine(
        find_model("coco"), Frame(street((720, 1280))), engine="openvino", precision="float32"
    )
    taken = way.run()
    assert way.runtime == "OpenVINO CPU float32"
    assert taken["network"] > 0 and taken["around"] > 0
    assert taken["network"] + taken["around"] <= taken["whole"]
