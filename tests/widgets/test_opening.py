"""What a person opens, drops and pastes: files, folders, pictures, and what is none of these."""

import cv2
import pytest
from PyQt5.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt5.QtGui import QDragEnterEvent, QDropEvent
from PyQt5.QtWidgets import QApplication

from tests.app.videos import numbered_picture
from widgets.window import Window


@pytest.mark.parametrize(
    ("name", "content"), [("empty.mp4", b""), ("text.mp4", b"no video"), ("none.mp4", None)]
)
def test_a_file_that_is_no_video_is_explained_on_the_start_page(person, tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    person.window.open_source(str(tmp_path / name))
    person.bot.waitUntil(person.window.banner.isVisible)
    assert name in person.window.banner.words
    assert person.window.start_page.isVisible()
    assert person.window.settings.recent_sources == ()


def test_every_broken_file_is_a_picture_or_a_sentence(person, shared):
    for file in sorted((shared / "video/broken").iterdir()):
        person.window.banner.dismiss()
        person.window.open_source(str(file))

        def answered() -> bool:
            watched = person.window.page.watched()
            return person.window.banner.isVisible() or bool(watched and watched[0].latest().frame)

        person.bot.waitUntil(answered)


def _drop(window: Window, mime: QMimeData) -> None:
    at, copy, left = QPoint(50, 50), Qt.CopyAction, Qt.LeftButton
    enter = QDragEnterEvent(at, copy, mime, left, Qt.NoModifier)
    QApplication.sendEvent(window, enter)
    if enter.isAccepted():
        QApplication.sendEvent(window, QDropEvent(QPointF(at), copy, mime, left, Qt.NoModifier))


def test_a_file_that_is_dropped_is_watched(person, clip):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(clip))])
    _drop(person.window, mime)
    person.sees(lambda view: view.frame)


def test_several_files_that_are_dropped_are_watched_side_by_side(person, clip):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(clip))] * 2)
    _drop(person.window, mime)
    assert [tile.address for tile in person.window.grid.tiles] == [str(clip)] * 2


def test_a_picture_that_is_dropped_is_watched(person, tmp_path):
    cv2.imwrite(str(tmp_path / "picture.png"), numbered_picture(42))
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "picture.png"))])
    _drop(person.window, mime)
    person.sees(lambda view: view.own_boxes)
    assert person.number() == 42


def test_a_folder_is_shown_picture_by_picture_with_its_names(person, tmp_path):
    for number in (1, 2):
        cv2.imwrite(str(tmp_path / f"picture-{number}.png"), numbered_picture(number))
    person.window.open_source(str(tmp_path))
    person.sees(lambda view: person.number() == 1)
    person.presses(Qt.Key_Period)
    person.sees(lambda view: person.number() == 2)
    title = f"picture-2.png – {tmp_path.name} – SSD Studio"
    person.bot.waitUntil(lambda: person.window.windowTitle() == title)


def test_what_was_copied_is_opened_with_control_v(person, clip):
    QApplication.clipboard().setText(str(clip))
    person.bot.keyClick(person.window, Qt.Key_V, Qt.ControlModifier)
    person.sees(lambda view: view.frame)


def test_copied_prose_is_refused_in_a_sentence(person):
    QApplication.clipboard().setText("no address at all")
    person.bot.keyClick(person.window, Qt.Key_V, Qt.ControlModifier)
    assert "neither" in person.window.banner.words
