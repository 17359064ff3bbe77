"""Fetching a file from a real server that does everything a server may do to one."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.published.catalog import PublishedFile
from app.published.fetching import Patience, fetch
from detector.errors import DownloadError
from tests.app.weights_server import (
    WeightsServer,
    answer,
    drop_after,
    serve,
    serving,
    stall_at,
    whole_only,
)

ROOT = Path(__file__).resolve().parents[2]
CONTENT = bytes(range(256)) * 4000  # about a megabyte
K = 1 << 15  # what is read at once
HURRIED = Patience(connect=5.0, silence=0.3, waits=(0.0, 0.0))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WeightsServer]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving(CONTENT) as running:
        yield running


def file(server: WeightsServer, *paths: str, checked: bool = True, size: int | None = None) -> PublishedFile:
    addresses = tuple(server.address(path) for path in paths)
    return PublishedFile(
        name="w.bin", addresses=addresses, sha256=server.sha256 if checked else None, size=size
    )


def test_a_file_comes_whole_with_progress_and_leaves_nothing_else(
    server: WeightsServer, tmp_path: Path
) -> None:
    told: list[tuple[int, int | None]] = []
    path = fetch(file(server, "a"), tmp_path / "new", progress=lambda *each: told.append(each))
    assert path.read_bytes() == CONTENT and list(path.parent.iterdir()) == [path]
    assert told[0] == (0, len(CONTENT)) and told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)


def test_a_dropped_connection_is_taken_up_where_it_broke(server: WeightsServer, tmp_path: Path) -> None:
    server.ways["a"] = drop_after(9 * K, 21 * K)
    assert fetch(file(server, "a"), tmp_path, patience=HURRIED).read_bytes() == CONTENT
    assert server.asked == [("a", None), ("a", f"bytes={9 * K}-"), ("a", f"bytes={21 * K}-")]


def test_a_later_call_goes_on_from_what_an_earlier_one_left(server: WeightsServer, tmp_path: Path) -> None:
    server.ways["a"] = drop_after(*[12 * K] * 4)
    with pytest.raises(DownloadError, match=r"broke off.* try again to go on from there"):
        fetch(file(server, "a"), tmp_path, patience=HURRIED)
    assert fetch(file(server, "a"), tmp_path, patience=HURRIED).read_bytes() == CONTENT
    assert server.asked[-1] == ("a", f"bytes={12 * K}-")


def test_two_halves_are_never_of_two_versions(server: WeightsServer, tmp_path: Path) -> None:
    server.ways["a"] = drop_after(*[12 * K] * 4)
    with pytest.raises(DownloadError):
        fetch(file(server, "a", checked=False), tmp_path, patience=HURRIED)
    server.etag, server.content = '"2"', CONTENT[::-1]
    assert fetch(file(server, "a", checked=False), tmp_path, patience=HURRIED).read_bytes() == CONTENT[::-1]


def test_a_server_without_ranges_begins_again(server: WeightsServer, tmp_path: Path) -> None:
    server.ways["a"] = drop_after(*[12 * K] * 4)
    with pytest.raises(DownloadError):
        fetch(file(server, "a"), tmp_path, patience=HURRIED)
    server.ways["a"] = whole_only
    assert fetch(file(server, "a"), tmp_path, patience=HURRIED).read_bytes() == CONTENT


def test_a_range_that_the_server_refuses_is_dropped(server: WeightsServer, tmp_path: Path) -> None:
    (tmp_path / "w.bin.part").write_bytes(CONTENT + b"too much")
    refused = [answer(416)]
    server.ways["a"] = lambda *each: (refused.pop() if refused else serve)(*each)
    assert fetch(file(server, "a"), tmp_path, patience=HURRIED).read_bytes() == CONTENT


def test_a_server_that_falls_silent_is_given_up_in_words(server: WeightsServer, tmp_path: Path) -> None:
    server.ways["a"] = stall_at(6 * K)
    with pytest.raises(DownloadError, match=r"has fallen silent.*try again to go on"):
        fetch(file(server, "a"), tmp_path, patience=HURRIED)
    assert (tmp_path / "w.bin.part").stat().st_size == 6 * K


def test_redirects_are_followed_but_not_without_end(server: WeightsServer, tmp_path: Path) -> None:
    server.ways["old"] = answer(302, Location="/new")
    assert fetch(file(server, "old"), tmp_path).read_bytes() == CONTENT
    server.ways["round"] = answer(302, Location="/round")
    with pytest.raises(DownloadError, match="redirects without end"):
        fetch(file(server, "round"), tmp_path / "other")
    server.ways["out"] = answer(302, Location="file:///etc/passwd")
    with pytest.raises(DownloadError, match="cannot be fetched"):
        fetch(file(server, "out"), tmp_path / "other")


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (404, {}, "not there any more"),
        (403, {}, "may not be fetched: the server answers 403"),
        (503, {}, "the server answers 503"),
        (200, {"Content_Type": "text/html; charset=utf-8"}, r"a web page instead of w\.bin: open it in"),
    ],
)
def test_an_answer_that_is_not_the_file_is_told_in_words(
    server: WeightsServer, tmp_path: Path, status: int, headers: dict[str, str], words: str
) -> None:
    server.ways["a"] = answer(status, **headers)
    with pytest.raises(DownloadError, match=words):
        fetch(file(server, "a"), tmp_path, patience=HURRIED)
    assert not (tmp_path / "w.bin").exists()
    assert len(server.asked) == (3 if status == 503 else 1)  # only what may pass is tried again


def test_a_file_of_another_size_than_published_is_not_fetched(server: WeightsServer, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="is a file of 1024000 bytes, but 77 are published"):
        fetch(file(server, "a", size=77), tmp_path)
    assert not list(tmp_path.glob("w.bin*"))


def test_the_second_address_is_asked_when_the_first_has_nothing(
    server: WeightsServer, tmp_path: Path
) -> None:
    server.ways["gone"] = answer(404)
    assert fetch(file(server, "gone", "a"), tmp_path).read_bytes() == CONTENT
    assert [path for path, _ in server.asked] == ["gone", "a"]


def test_a_server_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/a"
        with pytest.raises(DownloadError, match="there is no connection to the server"):
            fetch(PublishedFile(name="a", addresses=(address,)), tmp_path, patience=HURRIED)


def test_the_proxy_of_the_environment_is_used(
    server: WeightsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.address("").rstrip("/"))
    away = PublishedFile(name="a", addresses=("http://weights.invalid/a",), sha256=server.sha256)
    assert fetch(away, tmp_path).read_bytes() == CONTENT
    assert server.asked == [("http://weights.invalid/a", None)]


def test_a_folder_that_cannot_be_written_is_told_in_words(server: WeightsServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadError, match="cannot be written"):
        fetch(file(server, "a"), tmp_path / "file")


def test_a_download_that_is_interrupted_goes_on_later(server: WeightsServer, tmp_path: Path) -> None:
    server.ways["a"] = stall_at(7 * K)
    code = (
        "import sys; from pathlib import Path; from app.published.catalog import PublishedFile\n"
        "from app.published.fetching import fetch\n"
        "fetch(PublishedFile(name='w.bin', addresses=(sys.argv[1],), sha256='0' * 64), Path(sys.argv[2]),"
        " progress=lambda done, total: print(done, flush=True))"
    )
    command = [sys.executable, "-c", code, server.address("a"), str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=os.environ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) == 7 * K:
                child.kill()
    server.ways.clear()
    assert fetch(file(server, "a"), tmp_path).read_bytes() == CONTENT
    assert server.asked[-1] == ("a", f"bytes={7 * K}-")
