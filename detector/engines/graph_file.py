"""An OpenVINO graph in one file, so that it is there whole or not at all, and known to be whole.

    "SSDGRAPH", uint32 CRC-32 of all that follows the header, uint64 bytes of XML, uint64 bytes of weights
    XML, zeros up to a multiple of 64 bytes, weights

Little endian. The checksum takes 25 ms for the 105 MB of an SSD300; without it damage would give wrong boxes.
Read, not mapped into memory: whoever cut a mapped file short would end the programs that run on it.
"""

import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_HEADER = struct.Struct("<8sIQQ")
_MAGIC = b"SSDGRAPH"
_ALIGNMENT = 64  # so that numbers among the weights lie where the processor likes to read them


class DamagedGraphError(Exception):
    """The file is not what was once written; it can be made again."""


class Graph(NamedTuple):
    """xml  OpenVINO's description of the network; weights  (n,) uint8, what it refers to"""

    xml: bytes
    weights: NDArray[np.uint8]


def write_graph(path: Path, graph: Graph) -> None:
    """Writes beside the place and renames, so that no reader, of any process, ever sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    padding = bytes(-(_HEADER.size + len(graph.xml)) % _ALIGNMENT)
    checksum = 0
    for piece in (graph.xml, padding, graph.weights.data):
        checksum = zlib.crc32(piece, checksum)
    try:
        with part.open("wb") as file:
            file.write(_HEADER.pack(_MAGIC, checksum, len(graph.xml), len(graph.weights)))
            file.write(graph.xml + padding)
            file.write(graph.weights.data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_graph(path: Path) -> Graph:
    """The graph as it was written.

    raises  FileNotFoundError; DamagedGraphError when a byte differs from what was written
    """
    content = np.fromfile(path, np.uint8)
    if len(content) < _HEADER.size:
        raise DamagedGraphError(f"{len(content)} bytes are too few")
    magic, checksum, xml_size, weights_size = _HEADER.unpack_from(content.data)
    end_of_xml = _HEADER.size + xml_size
    start = end_of_xml + -end_of_xml % _ALIGNMENT
    if magic != _MAGIC or len(content) != start + weights_size:
        raise DamagedGraphError("it is of another kind or length")
    if zlib.crc32(content[_HEADER.size :].data) != checksum:
        raise DamagedGraphError("its checksum is wrong")
    return Graph(content[_HEADER.size : end_of_xml].tobytes(), content[start:])
