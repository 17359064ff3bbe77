"""Zones and lines as a person writes them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.events import Line, Regions, Zone, read_regions
from detector.errors import OptionError

SHARES = st.floats(0, 1, width=32)
DOOR = Zone("door", ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0)))
GATE = Line("gate", (0.1, 0.5), (0.9, 0.5))


@given(st.tuples(SHARES, SHARES), st.tuples(SHARES, SHARES))
def test_what_was_written_is_read_again(start, end):
    if start != end:
        regions = Regions((DOOR, Line("gate", start, end)))
        assert Regions.from_json(json.loads(json.dumps(regions.to_json()))) == regions


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "Zones are written"),
        ('{"zones": [{"name": "a"}]}', "A zone is written"),
        ('{"zones": [{"name": "a", "corners": [[0, 0], [1, 1], [0.5, 0.5]]}]}', "'a' has no area"),
        ('{"zones": [{"name": "a", "corners": [[0, 0], [1, 1], [0, "x"]]}]}', r"\[0, \"x\"\] is no place"),
        ('{"lines": [{"name": "a", "start": [0, 0], "end": [0, 0]}]}', "'a' has no length"),
        ('{"lines": [{"name": "a", "start": [0, 0], "end": [3, 0]}]}', "'a' lies outside"),
        ('{"lines": [{"name": " ", "start": [0, 0], "end": [1, 0]}]}', "needs a name"),
        ('{"lines": [{"name": "a", "start": [0, 0], "end": [NaN, 0]}]}', "'a' lies outside"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(tmp_path, text, said):
    (tmp_path / "zones.json").write_text(text)
    with pytest.raises(OptionError, match=f"zones.json.*{said}"):
        read_regions(tmp_path / "zones.json")


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(OptionError, match=r"none.json cannot be read"):
        read_regions(tmp_path / "none.json")


def test_no_two_have_one_name():
    with pytest.raises(OptionError, match="'door'"):
        Regions((DOOR, Line("door", (0, 0), (1, 1))))


def test_one_takes_the_place_of_another_or_goes():
    renamed = Zone("gap", DOOR.corners)
    both = Regions((DOOR, GATE))
    assert both.with_region(renamed, instead_of="door") == Regions((renamed, GATE))
    assert both.without("door") == Regions((GATE,)) and Regions((GATE,)).with_region(DOOR).zones == (DOOR,)
