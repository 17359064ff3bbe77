"""A graph on disk is whole, or known not to be."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from detector.engines.graph_file import DamagedGraphError, Graph, read_graph, write_graph
from tests.detector.engines.conftest import ROOT

GRAPH = Graph(b"<net/>", np.arange(1000, dtype=np.uint8))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "made" / "small.graph"
    write_graph(path, GRAPH)
    return path


def test_a_graph_is_read_as_it_was_written(path: Path) -> None:
    read = read_graph(path)
    assert read.xml == GRAPH.xml
    np.testing.assert_array_equal(read.weights, GRAPH.weights)


def test_nothing_else_is_left_in_the_folder(path: Path) -> None:
    write_graph(path, GRAPH)
    assert list(path.parent.iterdir()) == [path]


def test_a_graph_in_use_outlives_its_file(path: Path) -> None:
    graph = read_graph(path)
    path.write_bytes(b"")
    np.testing.assert_array_equal(graph.weights, GRAPH.weights)


@pytest.mark.parametrize("length", [0, 5, 28, 60, 1000])
def test_a_graph_that_breaks_off_is_damaged(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DamagedGraphError):
        read_graph(path)


@pytest.mark.parametrize("place", [0, 9, 14, 23, 30, 40, 70, -1])
def test_a_single_changed_byte_is_damage(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(DamagedGraphError):
        read_graph(path)


def test_a_graph_that_grew_is_damaged(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(DamagedGraphError):
        read_graph(path)


def test_no_graph_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_graph(tmp_path / "none.graph")


WRITE_OFTEN = """
import sys
from pathlib import Path
import numpy as np
from detector.engines.graph_file import Graph, write_graph
for _ in range(40):
    write_graph(Path(sys.argv[1]), Graph(b"<net/>", np.full(200_000, int(sys.argv[2]), np.uint8)))
"""


def test_of_several_processes_that_write_at_once_each_reader_gets_a_whole_graph(path: Path) -> None:
    command = [sys.executable, "-c", WRITE_OFTEN, str(path)]
    writers = [subprocess.Popen([*command, str(number)], cwd=ROOT) for number in (1, 2)]
    while any(writer.poll() is None for writer in writers):
        read_graph(path)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert len(np.unique(read_graph(path).weights)) == 1
    assert list(path.parent.iterdir()) == [path]
