"""The architectures side by side: how large they are, how much they compute, and how long that takes here."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from app.benchmark.measuring import measure
from app.benchmark.subjects import drawn_frame, random_model
from app.benchmark.ways import tensorflow_network, whole_call
from detector.engines import open_engine
from detector.networks.architectures import ARCHITECTURES

_CLASSES = 80  # COCO's, for all alike
_FRAME = (1280, 720)  # width, height


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One architecture.

    input_size     (height, width)
    giga           of additions and multiplications for a picture
    tensorflow_ms  the bare network in float32
    openvino_ms    the whole call of our engine, as `device` says in words
    """

    name: str
    input_size: tuple[int, int]
    anchors: int
    parameters: int
    giga: float
    tensorflow_ms: float
    openvino_ms: float
    device: str


def compare(names: Iterable[str] = ARCHITECTURES, *, rounds: int = 12) -> Iterator[Comparison]:
    """Each architecture with random weights for 80 classes, measured one after the other.

    raises  EngineError when OpenVINO cannot be used
    """
    from detector.networks.catalog import build_network
    from detector.networks.work import operations

    frame = drawn_frame(*_FRAME)
    for name in names:
        model = random_model(name, frame, classes=_CLASSES)
        network = build_network(model.card)
        with closing(open_engine(model, engine="openvino")) as engine:
            ways = [tensorflow_network(model, frame), whole_call(model, engine, [frame])]
            theirs, ours = measure(ways, rounds=rounds)
        yield Comparison(
            name=name,
            input_size=model.card.input_size,
            anchors=model.card.anchors.count,
            parameters=network.count_params(),
            giga=operations(network) / 1e9,
            tensorflow_ms=theirs.total.median,
            openvino_ms=ours.total.median,
            device=ours.way.runs_on,
        )


def markdown(rows: Iterable[Comparison]) -> str:
    """The README's table."""
    heads = ("architecture", "input", "anchors", "parameters", "GFLOP", "TensorFlow", "OpenVINO")
    lines = [f"| {' | '.join(heads)} | published mAP | weights of |", "|---|---|--:|--:|--:|--:|--:|---|---|"]
    for row in rows:
        architecture = ARCHITECTURES[row.name]
        cells = (
            row.name,
            f"{row.input_size[0]}x{row.input_size[1]}",
            str(row.anchors),
            f"{row.parameters / 1e6:.2f} M",
            f"{row.giga:.2f}",
            f"{row.tensorflow_ms:.1f} ms",
            f"{row.openvino_ms:.1f} ms",
            architecture.published or "–",
            architecture.weights or "–",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
