"""What a person drops, pastes or types, as something that can be opened."""

import pytest
from PyQt5.QtCore import QMimeData, QUrl

from widgets.incoming import address_in, with_log_in
from widgets.stream_dialog import StreamDialog, address_problem


def text(words: str) -> QMimeData:
    mime = QMimeData()
    mime.setText(words)
    return mime


def test_the_first_of_several_files_is_taken(tmp_path):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "a b.mp4")), QUrl.fromLocalFile("/other.mp4")])
    assert address_in(mime) == str(tmp_path / "a b.mp4")


def test_addresses_come_as_links_and_as_text():
    link = QMimeData()
    link.setUrls([QUrl("rtsp://porch:554/live")])
    assert address_in(link) == "rtsp://porch:554/live"
    assert address_in(text("  rtsp://cam:pa/ss@porch/live\n")) == "rtsp://cam:pa/ss@porch/live"
    assert address_in(text("'http://porch/mjpg'")) == "http://porch/mjpg"


def test_text_that_names_a_file_that_is_there_is_that_file(tmp_path):
    (tmp_path / "walk.mp4").touch()
    assert address_in(text(str(tmp_path / "walk.mp4"))) == str(tmp_path / "walk.mp4")
    assert address_in(text(str(tmp_path / "run.mp4"))) is None


def test_text_that_names_a_file_as_desktops_do_is_that_file(tmp_path):
    (tmp_path / "a walk.mp4").touch()
    assert address_in(text(f"file://{tmp_path}/a%20walk.mp4")) == str(tmp_path / "a walk.mp4")


@pytest.mark.parametrize(
    "words", ["", "dear all", "~nobody-of-that-name writes", "two\nrtsp://lines", "x" * 5000, "name\0.mp4"]
)
def test_anything_else_is_no_address(words):
    assert address_in(text(words)) is None


def test_name_and_password_are_encoded_and_replace_those_that_were_there():
    address = with_log_in("rtsp://old:secret@porch:554/live", "c@m", "p/w#1%")
    assert address == "rtsp://c%40m:p%2Fw%231%25@porch:554/live"
    assert with_log_in("rtsp://porch/live", "", "") == "rtsp://porch/live"


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("rtsp://porch:554/live", None),
        ("http://[fe80::1]:80/x", None),
        ("", "Type or paste"),
        ("porch/live", "begins with its protocol"),
        ("gopher://porch", "'gopher'"),
        ("rtsp://", "missing"),
        ("rtsp://porch:99999/x", "port"),
    ],
)
def test_a_wrong_address_is_explained_while_it_is_typed(qtbot, address, problem):
    said = address_problem(address)
    assert said is None if problem is None else problem in said
    dialog = StreamDialog()
    qtbot.addWidget(dialog)
    dialog._address.setText(address)
    assert dialog._open.isEnabled() == (problem is None)


def test_a_password_pasted_with_the_address_is_hidden_at_once_when_the_field_is_left(qtbot):
    dialog = StreamDialog()
    qtbot.addWidget(dialog)
    dialog._address.setText("rtsp://cam:hunt%2Fer2@porch/live")
    dialog._address.editingFinished.emit()
    assert (dialog.address, dialog.user, dialog.password) == ("rtsp://porch/live", "cam", "hunt/er2")
    assert dialog._password.displayText() != "hunt/er2"
