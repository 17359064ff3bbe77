"""Events on the disk and acted upon: real commands, a real web server, and nobody waits."""

import json
import os
import shlex
import stat
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app.events.actions import ActionError, WebHook, open_action, split_words
from app.events.event_log import EventLog
from app.events.rules import Event
from detector.errors import OptionError
from detector.values import Detections, Frame, LabelMap
from tests.app.outputs import lines_of
from tests.app.videos import eventually

LABELS = LabelMap(("person",))
EVENT = Event(
    kind="appeared", place="Tür/1", pts=2.5, track_id=4, class_id=0, label="person", score=0.75,
    box=(10.0, 20.0, 60.0, 90.0), size=(96, 192),
)  # fmt: skip
FRAME = Frame(np.full((96, 192, 3), 90, np.uint8), pts=2.5, source="porch")
FOUND = Detections(np.float32([EVENT.box]), np.float32([0.75]), np.int32([0]), np.int32([4]))


def python(script: str) -> str:
    """A command line."""
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(script)}"


@pytest.fixture
def server() -> Iterator[Any]:
    """A web server that keeps what it was told: (path, log-in, body); its answer can be chosen: a code, or
    the bytes themselves.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            web.told.append((self.path, self.headers.get("Authorization"), json.loads(body)))
            if isinstance(web.answer, bytes):
                self.wfile.write(web.answer)
                return
            self.send_response(web.answer)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - the server asks for this name

        def log_message(self, *_: object) -> None:
            pass

    web: Any = HTTPServer(("127.0.0.1", 0), Handler)
    web.told, web.answer = [], 200
    web.host = f"127.0.0.1:{web.server_port}"
    thread = threading.Thread(target=web.serve_forever, args=[0.01])
    thread.start()
    yield web
    web.shutdown()
    thread.join()
    web.server_close()


def test_an_event_is_a_line_and_a_picture_with_its_box_for_the_owner_alone(tmp_path):
    log = EventLog(tmp_path / "events.jsonl", LABELS)
    log.offer([EVENT], FRAME, FOUND)
    assert log.close(10)
    (line,) = lines_of(tmp_path / "events.jsonl")
    assert {key: line[key] for key in ("event", "place", "track", "source")} == {
        "event": "appeared", "place": "Tür/1", "track": 4, "source": "porch",
    }  # fmt: skip
    picture = cv2.imread(line["picture"])
    assert picture.shape == (96, 192, 3) and np.ptp(picture) > 100
    kept = [tmp_path / "events.jsonl", Path(line["picture"])]
    assert [stat.S_IMODE(path.stat().st_mode) for path in kept] == [0o600, 0o600]
    assert stat.S_IMODE(kept[1].parent.stat().st_mode) == 0o700


def test_a_second_run_appends(tmp_path):
    for _ in range(2):
        log = EventLog(tmp_path / "events.jsonl", LABELS)
        log.offer([EVENT], FRAME, FOUND)
        assert log.close(10)
    assert len(lines_of(tmp_path / "events.jsonl")) == 2


def test_a_command_reads_the_event_as_json(tmp_path):
    action = open_action(python(f"import sys; open({str(tmp_path / 'told')!r}, 'w').write(sys.stdin.read())"))
    log = EventLog(None, LABELS, action=action)
    log.offer([EVENT], FRAME, FOUND)
    assert log.close(20)
    assert json.loads((tmp_path / "told").read_text())["place"] == "Tür/1"


def test_a_shell_is_not_between_the_event_and_the_command(tmp_path):
    open_action(f"echo hello; touch {tmp_path / 'touched'}").do(EVENT.to_json())
    assert not (tmp_path / "touched").exists()


def test_a_command_of_windows_keeps_its_backslashes():
    line = r'"C:\Program Files\tell.exe" --for ' + r"Ann's C:\new"
    words = split_words(line, windows=True)
    assert words == [r"C:\Program Files\tell.exe", "--for", "Ann's", r"C:\new"]


def test_elsewhere_a_command_is_split_as_by_a_shell():
    assert split_words(r"tell 'my shop' a\ b #1", windows=False) == ["tell", "my shop", "a b", "#1"]


def test_a_web_address_is_told_the_event_with_its_log_in_kept_out_of_sight(server, caplog):
    hook = WebHook(f"http://ann:p%40ss-word@{server.host}/hook")
    hook.do({"event": "left"})
    server.answer = 503
    with pytest.raises(ActionError, match=r"answered 503") as refused:
        hook.do({"event": "left"})
    assert server.told[0] == ("/hook", "Basic YW5uOnBAc3Mtd29yZA==", {"event": "left"})
    assert "p@ss" not in str(refused.value) and "ann" not in str(refused.value)


def test_a_web_address_is_not_followed_elsewhere(server):
    server.answer = 302
    with pytest.raises(ActionError, match="302"):
        WebHook(f"http://{server.host}/hook").do({})
    assert [path for path, *_ in server.told] == ["/hook"]


def test_an_answer_that_is_not_http_is_a_sentence(server):
    server.answer = b"SSH-2.0-OpenSSH_9.6\r\n"
    with pytest.raises(ActionError, match=r"/hook gave an answer that is not HTTP"):
        WebHook(f"http://{server.host}/hook").do({})


@pytest.mark.parametrize(
    "address", ["http://", "http://host:x/", "http://[::1/", "http://host/my hook", "http://host/tür?x"]
)
def test_an_address_that_cannot_be_told_is_refused_before_anything_happens(address):
    with pytest.raises(OptionError, match="is no web address"):
        open_action(address)


def test_nobody_listens_is_a_sentence():
    with pytest.raises(ActionError, match=r"^http://127.0.0.1:9/ cannot be told: .*refused"):
        WebHook("http://127.0.0.1:9/").do({})


def test_a_failing_command_is_said_once_and_events_go_on(tmp_path, caplog):
    log = EventLog(tmp_path / "events.jsonl", LABELS, action=open_action(python("raise SystemExit(3)")))
    for _ in range(2):
        log.offer([EVENT], FRAME, FOUND)
    assert log.close(20)
    assert len(lines_of(tmp_path / "events.jsonl")) == 2
    assert [record.message for record in caplog.records] == [
        f"The action for an event was not carried out: '{sys.executable}' failed with exit code 3."
    ]


class Odd:
    """Raises what nobody has thought of at its first call, and counts those that follow."""

    def __init__(self) -> None:
        self.calls = -1

    def __call__(self, *_: object) -> None:
        self.calls += 1
        if not self.calls:
            raise KeyError("odd")

    do = __call__

    def stop(self) -> None:
        pass


def test_an_action_that_fails_as_nobody_thought_is_not_the_last(caplog):
    action = Odd()
    log = EventLog(None, LABELS, action=action)
    log.offer([EVENT, EVENT], FRAME, FOUND)
    assert log.close(10)
    assert action.calls == 1
    (said,) = caplog.records
    assert said.message == "The action for an event was not carried out: KeyError; the log says more."
    assert said.exc_info


def test_a_listener_that_fails_does_not_end_the_writing(tmp_path):
    listener = Odd()
    log = EventLog(tmp_path / "events.jsonl", LABELS, wrote=listener)
    log.offer([EVENT, EVENT], FRAME, FOUND)
    assert log.close(10)
    assert listener.calls == 1 and len(lines_of(tmp_path / "events.jsonl")) == 2


def test_an_event_that_cannot_be_drawn_is_a_line_all_the_same(tmp_path, caplog):
    log = EventLog(tmp_path / "events.jsonl", LabelMap(()), wrote=lambda event, picture: None)
    log.offer([EVENT], FRAME, FOUND)
    assert log.close(10)
    assert [line["picture"] for line in lines_of(tmp_path / "events.jsonl")] == [None]
    assert "IndexError" in caplog.text


def test_an_unknown_command_is_refused_before_anything_happens():
    with pytest.raises(OptionError, match="no command 'no-such-program'"):
        open_action("no-such-program --now")


def test_a_hanging_command_delays_nobody_and_ends_with_all_it_has_started(tmp_path):
    """The command starts another one; neither is left."""
    script = (
        "import os, subprocess, sys, time; child = subprocess.Popen(['sleep', '60']);"
        f"open({str(tmp_path / 'pids')!r}, 'w').write(f'{{os.getpid()}} {{child.pid}} .'); time.sleep(60)"
    )
    log = EventLog(tmp_path / "events.jsonl", LABELS, action=open_action(python(script)))
    for _ in range(200):  # more than may wait
        log.offer([EVENT], FRAME, FOUND)
    assert eventually(lambda: (tmp_path / "pids").exists() and "." in (tmp_path / "pids").read_text(), 20)
    assert eventually(lambda: log.count > 50, 20)
    assert not log.close(0.1)
    for pid in map(int, (tmp_path / "pids").read_text().split()[:2]):
        assert eventually(lambda pid=pid: not _runs(pid), 5)


def test_an_end_in_a_hurry_waits_for_no_action():
    """Else Ctrl-C on a file would wait for every command still to come."""
    log = EventLog(None, LABELS, action=open_action("sleep 60"), live=False)
    log.offer([EVENT] * 3, FRAME, FOUND)
    log.hurry()
    assert not log.close()


def test_a_full_disk_is_said_and_the_action_still_carried_out(tmp_path, caplog):
    (tmp_path / "events-pictures").touch()  # a file where the folder has to be
    told = []
    action = open_action(python(f"open({str(tmp_path / 'told')!r}, 'w')"))
    log = EventLog(
        tmp_path / "events.jsonl", LABELS, action=action, wrote=lambda event, picture: told.append(picture)
    )
    log.offer([EVENT], FRAME, FOUND)
    assert log.close(20)
    assert (tmp_path / "told").exists() and told == [None]
    assert "Events cannot be written" in caplog.text


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
