"""How far an imported network agrees with LiteRT on the 8-bit file it came from.

  python -m tests.oracles.litert_parity MODEL.tflite VIDEO... [--frames 24]

LiteRT is given the same picture, 300x300 RGB, and its boxes with a score of at least 0.5 are looked for among
ours: same class, IoU at least 0.9, score within 0.05. NMS at 0.6 on both sides, as the file has it.

LiteRT decodes with the anchors in the file, which 8 bits round by up to 1 pixel of 300; small boxes move with
them. The second figure is of our network decoded with those anchors: what is left is 8-bit arithmetic.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from detector.anchors import Anchors, generate
from detector.boxes import iou_matrix
from detector.class_names import known_class_names
from detector.importers import import_file
from detector.importers.tflite_graph import read_graph
from detector.networks.catalog import build_network
from detector.networks.weights import assign_weights
from detector.nms import Selection, select
from detector.values import Pixels

MIN_SCORE, MIN_IOU, MAX_DIFFERENCE = 0.5, 0.9, 0.05
NMS_IOU = 0.6


def pictures(video: Path, count: int) -> Iterator[Pixels]:
    """Frames at even distances, 300x300 RGB."""
    with av.open(str(video)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    wanted = set(np.linspace(0, frames - 1, count).astype(int).tolist())
    with av.open(str(video)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index in wanted:
                small = cv2.resize(frame.to_ndarray(format="bgr24"), (300, 300))
                yield np.ascontiguousarray(small[..., ::-1])


class LiteRT:
    """The file in its own runtime."""

    def __init__(self, file: Path) -> None:
        self._interpreter = Interpreter(str(file), num_threads=2)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [each["index"] for each in self._interpreter.get_output_details()]

    def detect(self, picture: Pixels) -> tuple[NDArray[np.float32], NDArray[np.float32], list[str]]:
        """Boxes (n, 4) x1, y1, x2, y2, normalized; scores; names. At most ten, the best first."""
        self._interpreter.set_tensor(self._input, picture[None])
        self._interpreter.invoke()
        boxes, ids, scores, _ = (self._interpreter.get_tensor(index)[0] for index in self._outputs)
        names = known_class_names("coco-90")
        kept = scores >= MIN_SCORE
        return boxes[kept][:, [1, 0, 3, 2]], scores[kept], [names[int(each)] for each in ids[kept]]


class Ours:
    """The same file imported."""

    def __init__(self, file: Path) -> None:
        imported = import_file(file, name="imported")
        self.card = imported.card
        self._network = build_network(imported.card)
        assign_weights(self._network, imported.weights)

    def detect(self, picture: Pixels, anchors: Anchors) -> Selection:
        answers = self._network(picture[None].astype(np.float32))
        logits, offsets = (np.asarray(answers[kind])[0] for kind in ("logits", "offsets"))
        return select(
            1 / (1 + np.exp(-logits[:, 1:])),
            offsets,
            anchors,
            self.card.variances,
            floor=0.05,
            nms_iou=NMS_IOU,
            max_detections=100,
        )


@dataclass
class Agreement:
    """Boxes that LiteRT gives, and those of them we give too."""

    boxes: int = 0
    matched: int = 0
    misses: list[str] = field(default_factory=list)
    differences: list[float] = field(default_factory=list)

    @property
    def share(self) -> float:
        return self.matched / max(1, self.boxes)


def compare(file: Path, shown: Iterable[Pixels]) -> tuple[Agreement, Agreement]:
    """With the layout's anchors, and with those in the file."""
    theirs, ours = LiteRT(file), Ours(file)
    graph = read_graph(file)
    post_process = next(each for each in graph.operators if each.kind == "TFLite_Detection_PostProcess")
    coarse = graph.constant(post_process.inputs[2])[:, [1, 0, 3, 2]]
    results = Agreement(), Agreement()
    for number, picture in enumerate(shown):
        expected = theirs.detect(picture)
        for agreement, anchors in zip(results, (generate(ours.card.anchors), coarse)):
            found = ours.detect(picture, anchors)
            names = np.array(ours.card.classes)[found.class_ids]
            _count(agreement, number, expected, found, names)
    return results


def _count(
    agreement: Agreement,
    number: int,
    expected: tuple[NDArray[np.float32], NDArray[np.float32], list[str]],
    found: Selection,
    names: NDArray[np.str_],
) -> None:
    for box, score, name in zip(*expected):
        agreement.boxes += 1
        same = names == name
        overlaps = iou_matrix(box[None], found.boxes[same])[0]
        differences = np.abs(found.scores[same] - score)
        if len(overlaps):
            agreement.differences.append(float(differences[overlaps.argmax()]))
        if bool(((overlaps >= MIN_IOU) & (differences <= MAX_DIFFERENCE)).any()):
            agreement.matched += 1
        else:
            best = f"{overlaps.max():.2f}" if len(overlaps) else "none"
            agreement.misses.append(f"picture {number}: {name} {score:.2f}, best IoU {best}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("--frames", type=int, default=24, help="of each video")
    options = parser.parse_args()
    shown = [picture for video in options.videos for picture in pictures(video, options.frames)]
    for words, result in zip(("computed anchors", "the file's anchors"), compare(options.model, shown)):
        difference = np.quantile(result.differences, 0.95)
        print(
            f"{words}: {result.matched} of {result.boxes} boxes on {len(shown)} pictures "
            f"({result.share:.2%}), 95 % of the scores within {difference:.3f}"
        )
        print("\n".join(result.misses))


if __name__ == "__main__":
    main()
