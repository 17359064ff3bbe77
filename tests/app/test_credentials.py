"""Names and passwords of cameras are kept only where their owner alone can read them, and used again."""

import json
import logging
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from app.credentials import find_log_in, forget_log_in, keep_log_in, keeping_place
from app.redaction import redact
from app.sources import State, open_source
from detector.places import config_folder
from detector.values import Frame
from tests.app.rtsp import load_server
from tests.app.videos import after, eventually, read_until, write_video


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a test reaches the keyring of whoever runs it."""
    monkeypatch.setitem(sys.modules, "keyring", None)


class Keyring(ModuleType):
    """The functions of the package `keyring` over a dictionary."""

    priority = 5.0

    def __init__(self) -> None:
        super().__init__("keyring")
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_keyring(self) -> "Keyring":
        return self

    def set_password(self, service: str, place: str, content: str) -> None:
        if self.locked:
            raise RuntimeError("locked")
        self.kept[service, place] = content

    def get_password(self, service: str, place: str) -> str | None:
        return self.kept.get((service, place))

    def delete_password(self, service: str, place: str) -> None:
        del self.kept[service, place]


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyring]:
    keyring = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    return keyring


def test_without_a_keyring_they_lie_in_a_file_of_their_owner_alone():
    keep_log_in("rtsp://camera.local:554/stream1", "cam", "hunter2: ü")
    path = config_folder() / "passwords.json"
    assert str(path) in keeping_place()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["passwords.json"]  # nothing half-written
    assert find_log_in("rtsp://camera.local:554/stream1") == ("cam", "hunter2: ü")


def test_all_streams_of_a_camera_share_them_and_other_cameras_do_not():
    keep_log_in("rtsp://Camera.local:554/stream1", "cam", "hunter2")
    assert find_log_in("RTSP://camera.LOCAL:554/stream2?x=1") == ("cam", "hunter2")
    assert find_log_in("rtsp://camera.local:8554/stream1") is None
    assert find_log_in("rtsp://other.local:554/stream1") is None


def test_they_can_be_replaced_and_forgotten():
    keep_log_in("rtsp://a/x", "cam", "old-one")
    keep_log_in("rtsp://b/x", "bea", "another")
    keep_log_in("rtsp://a/x", "cam", "new-one")
    assert find_log_in("rtsp://a/x") == ("cam", "new-one")
    forget_log_in("rtsp://a/x")
    assert find_log_in("rtsp://a/x") is None and find_log_in("rtsp://b/x") == ("bea", "another")
    assert "new-one" not in (config_folder() / "passwords.json").read_text()


def test_where_there_is_a_keyring_no_file_is_written(keyring: Keyring):
    keep_log_in("rtsp://a/x", "cam", "hunter2")
    assert keyring.kept == {("ssd-studio", "rtsp://a"): '["cam", "hunter2"]'}
    assert not config_folder().exists() and "keyring" in keeping_place()
    assert find_log_in("rtsp://a/x") == ("cam", "hunter2")
    forget_log_in("rtsp://a/x")
    assert not keyring.kept


def test_a_keyring_that_keeps_nothing_counts_as_none(keyring: Keyring):
    keyring.priority = 0.0
    keep_log_in("rtsp://a/x", "cam", "hunter2")
    assert not keyring.kept and find_log_in("rtsp://a/x") == ("cam", "hunter2")


def test_a_locked_keyring_is_a_line_in_the_log(keyring: Keyring, caplog: pytest.LogCaptureFixture):
    keyring.locked = True
    keep_log_in("rtsp://a/x", "cam", "hunter2")
    assert "keeps no password for rtsp://a" in caplog.text and "hunter2" not in caplog.text


@pytest.mark.parametrize("content", ["", "[]", '{"rtsp://a": 3}', '{"rtsp://a": "no json"}', "\udcff"])
def test_a_damaged_file_is_as_good_as_none(content: str):
    config_folder().mkdir(parents=True)
    (config_folder() / "passwords.json").write_bytes(content.encode(errors="surrogateescape"))
    assert find_log_in("rtsp://a/x") is None


def test_what_was_found_is_masked_from_then_on():
    (config_folder()).mkdir(parents=True)
    kept = {"rtsp://a": json.dumps(["cam", "correct-horse-battery"])}
    (config_folder() / "passwords.json").write_text(json.dumps(kept))
    find_log_in("rtsp://a/x")
    assert redact("it was correct-horse-battery") == "it was ***"


def test_a_log_in_that_worked_opens_the_camera_the_next_time(
    shared: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    write_video(tmp_path / "a.mp4", 50)
    with load_server(shared).RtspServer(tmp_path / "a.mp4", auth="cam:p@ss word") as server:
        wrong = server.url.replace("//", "//cam:wrong-one@")
        read_until(open_source(wrong, keep_log_in=True), lambda item: item.state is State.WRONG_PASSWORD)
        assert find_log_in(server.url) is None
        right = server.url.replace("//", "//cam:p@ss word@")
        read_until(open_source(right), after(1))
        assert find_log_in(server.url) is None  # nobody asked for it to be kept
        read_until(open_source(right, keep_log_in=True), after(1))
        assert eventually(lambda: find_log_in(server.url) == ("cam", "p@ss word"))
        assert isinstance(read_until(open_source(server.url), after(1))[-1], Frame)
    assert "p@ss" not in caplog.text and "p%40ss" not in caplog.text
