"""Cameras that come and go, as a person sees them: a real server, really killed."""

import socket
import sys
import threading
from pathlib import Path

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QPushButton

from app.credentials import find_log_in
from app.settings import Settings
from app.sources import FoundCamera, State
from tests.app.rtsp import server_process
from tests.widgets.person import Person
from widgets.cameras import Cameras
from widgets.marks_painter import Mark
from widgets.stream_dialog import StreamDialog


def card(person: Person) -> str:
    """What stands over the picture."""
    words = person.window.page.view.card.shown
    return f"{words.title}: {words.sentence}" if words else ""


def marks(person: Person) -> tuple[Mark, ...]:
    return person.window.page.view.scene.marks


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_camera_that_dies_is_said_so_waited_for_and_shown_again(person, shared, clip):
    port = _free_port()
    with server_process(shared, clip, port=port) as (url, server):
        person.window.open_source(url)
        person.sees(lambda view: view.own_boxes)
        person.bot.waitUntil(lambda: "LIVE" in [mark.words for mark in marks(person)])
        person.bot.waitUntil(lambda: card(person) == "")
        server.kill()
        person.bot.waitUntil(lambda: card(person).startswith("Reconnecting in "))
        assert "\nLast picture " in card(person)
        assert person.window.page.view.scene.veiled
        assert not marks(person)
    with server_process(shared, clip, port=port):
        person.bot.mouseClick(_button(person, "Try now"), Qt.LeftButton)
        person.bot.waitUntil(lambda: card(person) == "")
        person.sees(lambda view: view.silent_for < 1)
        person.bot.waitUntil(lambda: not person.window.page.view.scene.veiled)


def test_connecting_can_be_given_up(person, rtsp, clip):
    with rtsp.RtspServer(str(clip), silent=True) as server:
        person.window.open_source(server.url)
        person.bot.waitUntil(lambda: card(person).startswith("Connecting"))
        person.bot.mouseClick(_button(person, "Cancel"), Qt.LeftButton)
        assert person.window.start_page.isVisible()


def test_closing_while_connecting_takes_less_than_three_seconds(qtbot, open_window, rtsp, clip):
    window = open_window()
    with rtsp.RtspServer(str(clip), silent=True) as server:
        window.open_source(server.url)
        window.close()
        qtbot.waitUntil(window.isHidden, timeout=3500)
        assert not window.caught


def test_a_wrong_password_asks_for_another_and_then_shows_the_camera(person, rtsp, clip):
    with rtsp.RtspServer(str(clip), auth="cam:hunter2") as server:
        bare = server.url.replace("cam:hunter2@", "")
        person.window.open_source(bare.replace("://", "://cam:wrong-one@"))
        person.bot.waitUntil(lambda: card(person).startswith("Wrong password"))
        assert "wrong-one" not in card(person) + person.window.windowTitle()
        person.bot.mouseClick(_button(person, "Log in…"), Qt.LeftButton)
        (dialog,) = [d for d in person.window.findChildren(StreamDialog) if d.isVisible()]
        assert dialog.address == bare
        dialog._user.setText("cam")
        dialog._password.setText("hunter2")
        dialog.accept()
        person.sees(lambda view: view.frame)
        person.bot.waitUntil(lambda: card(person) == "")


def test_one_of_several_cameras_is_logged_in_to_anew_while_the_others_go_on(person, rtsp, clip):
    window = person.window
    with rtsp.RtspServer(str(clip), auth="cam:hunter2") as server, rtsp.RtspServer(str(clip)) as other:
        bare = server.url.replace("cam:hunter2@", "")
        window.open_dropped([bare.replace("://", "://cam:wrong-one@"), other.url])
        locked, open_tile = window.grid.tiles
        person.bot.waitUntil(lambda: open_tile.watch.pipeline.latest().frame is not None)
        person.bot.waitUntil(lambda: locked.watch.pipeline.latest().status.state is State.WRONG_PASSWORD)
        window.together.show_large(locked)
        person.bot.waitUntil(lambda: card(person).startswith("Wrong password"))
        person.bot.mouseClick(_button(person, "Log in…"), Qt.LeftButton)
        (dialog,) = [d for d in window.findChildren(StreamDialog) if d.isVisible()]
        dialog._user.setText("cam")
        dialog._password.setText("hunter2")
        dialog.accept()
        person.sees(lambda view: view.frame)
        window.together.show_grid()
        unlocked, same = window.grid.tiles
        assert same is open_tile and same.watch.pipeline.latest().status.state is State.LIVE
        assert unlocked.stem == locked.stem
        person.bot.waitUntil(lambda: unlocked.watch.pipeline.latest().status.state is State.LIVE)


def test_no_password_reaches_title_recent_list_settings_or_log(person, rtsp, clip, caplog, studio_home):
    caplog.set_level("DEBUG")
    with rtsp.RtspServer(str(clip), auth="cam:hunter2") as server:
        bare = server.url.replace("cam:hunter2@", "")
        person.window.open_source(bare.replace("://", "://cam:hunter2@"))
        person.sees(lambda view: view.frame)
        person.window.close()
        person.bot.waitUntil(person.window.isHidden, timeout=4000)
    kept = Settings.load()
    assert kept.recent_sources == (bare,)
    texts = [path.read_text(errors="replace") for path in Path(studio_home).rglob("*.json")]
    assert "hunter2" not in " ".join([*texts, caplog.text, person.window.windowTitle()])


def test_a_path_the_camera_does_not_know_is_said_so(person, rtsp, clip):
    with rtsp.RtspServer(str(clip), not_found=True) as server:
        person.window.open_source(server.url)
        person.bot.waitUntil(lambda: "404" in card(person))


def _button(person: Person, words: str) -> QPushButton:
    buttons = person.window.page.view.card.findChildren(QPushButton)
    return next(button for button in buttons if button.text() == words and button.isVisible())


def test_a_log_in_given_in_the_dialog_is_kept_only_when_asked_for(person, rtsp, clip, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with rtsp.RtspServer(str(clip), auth="cam:hunter2") as server:
        for keep in (False, True):
            assert find_log_in(server.url) is None
            person.window.opening.open_stream()
            (dialog,) = [d for d in person.window.findChildren(StreamDialog) if d.isVisible()]
            dialog._address.setText(server.url)
            dialog._user.setText("cam")
            dialog._password.setText("hunter2")
            dialog._keep.setChecked(keep)
            dialog.accept()
            person.sees(lambda view: view.frame)
            person.window.close_source()
        person.bot.waitUntil(lambda: find_log_in(server.url) == ("cam", "hunter2"))
        person.window.open_source(server.url)  # as a recent source: without name and password
        person.sees(lambda view: view.frame)
        person.window.close_source()
        person.window._strike_source(server.url)
        person.bot.waitUntil(lambda: find_log_in(server.url) is None)


def test_cameras_are_looked_for_without_holding_up_the_window(qtbot, monkeypatch):
    answer = threading.Event()
    camera = FoundCamera("0", "HD Webcam")

    def slow_driver() -> list[FoundCamera]:
        answer.wait(20)
        return [camera]

    monkeypatch.setattr("widgets.cameras.list_cameras", slow_driver)
    cameras = Cameras()
    with qtbot.waitSignal(cameras.found) as found:
        cameras.start()
        answer.set()
    assert found.args == [[camera]]
    cameras.stop()
