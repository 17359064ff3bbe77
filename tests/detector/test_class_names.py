"""Lists of class names and the table of names that mean the same."""

from pathlib import Path

import pytest

from detector.class_names import UNUSED, Aliases, known_class_names, read_class_names
from detector.errors import OptionError


def test_the_shipped_lists_have_the_classes_of_their_data_sets() -> None:
    coco, by_id, voc = (known_class_names(name) for name in ("coco", "coco-90", "voc"))
    assert (len(coco), len(by_id), len(voc)) == (80, 90, 20)
    assert tuple(name for name in by_id if name != UNUSED) == coco
    unused = [number for number, name in enumerate(by_id, start=1) if name == UNUSED]
    assert unused == [12, 26, 29, 30, 45, 66, 68, 69, 71, 83]  # reference facts 2.8
    assert list(voc) == sorted(voc) and (by_id[0], by_id[17], coco[79]) == ("person", "dog", "toothbrush")


def test_every_class_of_voc_has_its_counterpart_in_coco() -> None:
    coco, voc, aliases = known_class_names("coco"), known_class_names("voc"), Aliases.shipped()
    found = [coco.index(aliases.find(name, coco) or "") + 1 for name in voc]
    # reference facts 2.8, contiguous COCO ids of VOC's classes
    assert found == [5, 2, 15, 9, 40, 6, 3, 16, 57, 20, 61, 17, 18, 4, 1, 59, 19, 58, 7, 63]
    assert [aliases.find(coco[number - 1], voc) for number in found] == list(voc)


def test_an_alias_can_be_added_and_joins_the_names_that_meant_the_same() -> None:
    aliases = Aliases.shipped().with_pair("television", "tv")
    assert aliases.find("television", ["sofa", "tvmonitor"]) == "tvmonitor"
    assert Aliases.shipped().find("television", ["tvmonitor"]) is None
    assert aliases.find("tv", ["tvmonitor", "tv"]) == "tv"  # the name itself wins


def test_blank_lines_at_the_end_and_windows_line_ends_do_not_count(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_bytes("\ufeffperson\r\ntraffic light \r\n???\r\n\r\n".encode())
    assert read_class_names(file) == ("person", "traffic light", "???")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "names no class"),
        (b"car\n\ndog\n", "line 2 is blank; write [?]{3}"),
        (b"car\ndog\ncar\n", "'car' stands in line 1 and again in line 3"),
        (b"\xff\xfe\x00car", "cannot be read as text"),
    ],
)
def test_a_wrong_list_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "names.txt"
    file.write_bytes(content)
    with pytest.raises(OptionError, match=words):
        read_class_names(file)
    with pytest.raises(OptionError, match=r"none\.txt cannot be read: No such file or directory\.$"):
        read_class_names(tmp_path / "none.txt")
