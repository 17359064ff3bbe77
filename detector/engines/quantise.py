"""8-bit numbers for a model's network: `python -m detector.engines.quantise OUT`, a process of its own.

Post-training quantisation by NNCF (requirements-int8.txt): the network looks at a hundred pictures, and each
layer's numbers are given the range that they had there. No training, and no labels. Every convolution takes
part, the first ones and the answers too: on 100 pictures of VOC two MobileNets lost no mAP by that (0.6791 to
0.6792, 0.6949 to 0.7012), so layers kept exact, as bfloat16 has them, would only cost time.
"""

import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from detector.engines.child_process import ChildFailedError, run_child, say, work_for_parent
from detector.engines.graph_cache import cached_graph
from detector.engines.graph_file import Graph, read_graph, write_graph
from detector.engines.openvino_library import library_version, load_converter, load_openvino
from detector.engines.pictures import fill
from detector.errors import EngineError
from detector.model_store import Model, ModelCard
from detector.pictures import read_picture
from detector.values import Frame, Pixels

_PICTURE = "picture "  # a line of the child: how many of them the network has looked at


def quantised(
    model: Model,
    pictures: Sequence[Path],
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Graph:
    """The model's graph in 8-bit numbers; it takes and gives what the graph of `convert` does.

    pictures  of the kind the model will see; a hundred are enough
    progress  called with the pictures looked at, and of all
    raises    EngineError when NNCF is not installed, or fails
    """
    if find_spec("nncf") is None:
        raise EngineError("Making 8-bit models takes NNCF; install it: pip install -r requirements-int8.txt")
    version = library_version(load_openvino())
    graph = cached_graph(model, precision="float32", openvino_version=version, notify=lambda words: None)

    def heard(line: str) -> None:
        if line.startswith(_PICTURE):
            progress(min(int(line.removeprefix(_PICTURE)), len(pictures)), len(pictures))

    with TemporaryDirectory() as folder:
        before, after = Path(folder) / "float32.graph", Path(folder) / "int8.graph"
        write_graph(before, graph)
        request = {"card": model.card.to_json(), "pictures": [str(path.absolute()) for path in pictures]}
        arguments = (str(before), str(after))
        try:
            run_child("detector.engines.quantise", *arguments, request=request, heard=heard)
        except ChildFailedError as error:
            raise EngineError(f"The model '{model.name}' could not be quantised: {error}") from error
        return read_graph(after)


def _quantise(graph: Graph, card: ModelCard, pictures: Sequence[str]) -> Graph:
    openvino = load_converter()
    import nncf

    network = openvino.Core().read_model(graph.xml, openvino.Tensor(graph.weights))
    looked_at = 0

    def prepare(path: str) -> Pixels:
        nonlocal looked_at
        looked_at += 1
        say(f"{_PICTURE}{looked_at}")
        picture = np.empty((*card.input_size, 3), np.uint8)
        fill(picture, Frame(read_picture(Path(path))), card.channel_order)
        return picture[None]

    small = nncf.quantize(network, nncf.Dataset(pictures, prepare), subset_size=len(pictures))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "graph.xml"
        openvino.save_model(small, path, compress_to_fp16=False)
        return Graph(path.read_bytes(), np.fromfile(path.with_suffix(".bin"), np.uint8))


def main(before: str, after: str) -> int:
    def work(request: dict[str, Any]) -> None:
        card = ModelCard.from_json(request["card"])
        write_graph(Path(after), _quantise(read_graph(Path(before)), card, request["pictures"]))

    return work_for_parent(work)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
