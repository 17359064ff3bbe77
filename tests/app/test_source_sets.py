"""Sources watched together, kept in a text file."""

from pathlib import Path

import pytest

from app.source_sets import MOST, expand, is_set, read_set, side_by_side, write_set
from detector.errors import OptionError


def test_each_line_is_a_source_and_files_are_looked_for_beside_the_set(tmp_path: Path):
    path = tmp_path / "shop.sources"
    path.write_text("# the shop\n\n  0 \nrtsp://host/a#b\n/srv/door.mp4\nclips/back yard.mp4\n")
    inside = str(tmp_path / "clips/back yard.mp4")
    assert read_set(path) == ("0", "rtsp://host/a#b", "/srv/door.mp4", inside)
    assert expand(["1", str(path)]) == ("1", *read_set(path))


def test_what_is_written_is_read_again_without_passwords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    written = write_set(tmp_path / "shop", ["rtsp://cam:hunter2@host/live", "0", "door.mp4"])
    assert written == tmp_path / "shop.sources" and is_set(str(written)) and not is_set("shop.mp4")
    assert "hunter2" not in written.read_text()
    assert read_set(written) == ("rtsp://host/live", "0", str(tmp_path / "door.mp4"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"# nothing\n", "holds no source"),
        (b"other.sources\n", "holds another set"),
        (b"\xff\xfe\x00", "it is no text"),
        (None, "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(tmp_path: Path, content: bytes | None, words: str):
    path = tmp_path / "shop.sources"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OptionError, match=words):
        read_set(path)


def test_more_than_a_window_can_show_may_be_recorded_but_not_watched(tmp_path: Path):
    path = tmp_path / "street.sources"
    path.write_text("0\n" * (MOST + 1))
    assert len(expand([str(path)])) == MOST + 1
    with pytest.raises(OptionError, match="17 sources are too many at once"):
        side_by_side([str(path)])
