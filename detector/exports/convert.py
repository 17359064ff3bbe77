"""Writes and proves, in a process of its own: `python -m detector.exports.convert FOLDER OUT`."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from detector.anchors import generate
from detector.engines.child_process import say, work_for_parent
from detector.engines.pictures import fill
from detector.errors import ExportError
from detector.exports.detecting import FLOOR, detecting_module
from detector.exports.formats import FORMATS, Arrays
from detector.exports.parity import compare
from detector.model_store import Model, ModelCard, read_weights
from detector.nms import select
from detector.pictures import read_picture
from detector.scores import scores_of
from detector.values import Frame, Pixels

_MADE_UP = 8  # frames, where the person names none


def main(model_folder: str, out: str) -> int:
    def work(request: dict[str, Any]) -> None:
        model = Model(ModelCard.from_json(request["card"]), Path(model_folder))
        read_weights(model)  # what is wrong with them is said before TensorFlow has loaded
        chosen = FORMATS[request["format"]]
        path = Path(out) / f"{model.name}{chosen.ending}"
        from detector.networks.catalog import load_network

        network, frames = load_network(model), _frames(request["pictures"], model.card)
        module = detecting_module(model.card, network)
        try:
            chosen.write(module, path)
        except Exception as error:
            raise ExportError(f"the converter gives up: {_first_line(error)}") from error
        try:
            run = chosen.open(path)
            got = [run(frame) for frame in frames]
        except Exception as error:
            raise ExportError(f"the file cannot be run: {_first_line(error)}") from error
        say(json.dumps(asdict(compare(_expected(model.card, network, frames), got))))

    return work_for_parent(work)


def _expected(card: ModelCard, network: Any, frames: list[Pixels]) -> list[Arrays]:
    """What this program finds: the same network, but with the decoding and NMS of the path for processors."""
    anchors, found = generate(card.anchors), []
    for frame in frames:
        answers = {
            name: np.asarray(each)[0] for name, each in network(frame[None].astype(np.float32)).items()
        }
        kept = select(
            scores_of(answers["logits"], card.score_activation),
            answers["offsets"],
            anchors,
            card.variances,
            floor=FLOOR,
            nms_iou=card.nms_iou,
            max_detections=card.max_detections,
        )
        arrays = {"boxes": kept.boxes, "scores": kept.scores, "class_ids": kept.class_ids}
        found.append({**arrays, "count": np.array(len(kept.boxes))})
    return found


def _frames(paths: list[str], card: ModelCard) -> list[Pixels]:
    """In the size and channel order of the network."""
    sources = [read_picture(Path(path)) for path in paths] or [_made_up(seed) for seed in range(_MADE_UP)]
    frames = []
    for pixels in sources:
        frames.append(np.empty((*card.input_size, 3), np.uint8))
        fill(frames[-1], Frame(pixels), card.channel_order)
    return frames


def _made_up(seed: int) -> Pixels:
    """Discs on coloured clouds: a network finds something in them, if only with low scores."""
    random = np.random.default_rng(seed)
    pixels = cv2.resize(
        random.integers(0, 256, (6, 8, 3), np.uint8), (640, 480), interpolation=cv2.INTER_CUBIC
    )
    for _ in range(8):
        x, y, radius = (int(value) for value in random.integers(20, (620, 460, 160)))
        cv2.circle(pixels, (x, y), radius, random.integers(0, 256, 3).tolist(), -1)
    return np.asarray(pixels, np.uint8)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
