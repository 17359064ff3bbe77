"""Imported Caffe networks against OpenCV 4, which still reads the originals' format.

  python -m tests.oracles.caffe_parity [NAME...] [--environment FOLDER] [--keep]

Sets up an environment of its own with OpenCV 4 (this program's OpenCV 5 has no Caffe importer any more),
writes SSD300, SSD512 and MobileNet-SSD with random weights from their published descriptions, runs each there
and here on one picture, and compares what the heads answer and which boxes come out. `--keep` writes what
OpenCV gave, a few hundred numbers a network, to tests/data/caffe, for the default tests to compare with.

OpenCV keeps anchor sizes as they are written where Caffe cut them to whole pixels; so does this comparison.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from detector.anchors import generate
from detector.boxes import iou_matrix
from detector.importers import import_file
from detector.networks.catalog import build_network
from detector.networks.weights import assign_weights
from detector.nms import select
from tests.detector.caffe_networks import VOC300, VOC512, mobilenet_ssd, ssd_vgg, write_caffemodel

DATA = Path(__file__).resolve().parents[1] / "data" / "caffe"
COLUMNS = 21
MIN_SCORE, NMS_IOU = 0.25, 0.45


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A network to compare, and how to draw its weights so that some fifty boxes come out."""

    prototxt: str
    side: int
    seed: int
    background: float
    pixels: float = 70.0
    factor: float = 1.0
    anchors: str | None = None
    keep: int = 200


CASES = {
    "ssd300": Case(
        prototxt=ssd_vgg(300, COLUMNS, VOC300, min_score=MIN_SCORE), side=300, seed=1, background=4.5
    ),
    "ssd512": Case(
        prototxt=ssd_vgg(512, COLUMNS, VOC512, min_score=MIN_SCORE),
        side=512,
        seed=2,
        background=4.5,
        anchors="ssd512-voc-exact",
    ),
    "mobilenet-ssd": Case(
        prototxt=mobilenet_ssd(COLUMNS, merged=True, min_score=MIN_SCORE),
        side=300,
        seed=3,
        background=-1.0,
        pixels=0.6,
        keep=100,
    ),
    "mobilenet-ssd-unmerged": Case(
        prototxt=mobilenet_ssd(COLUMNS, merged=False, min_score=MIN_SCORE),
        side=300,
        seed=4,
        background=14.0,
        pixels=0.6,
        factor=999.982,
        keep=100,
    ),
}


def picture(side: int) -> Any:
    """(side, side, 3) float32, BGR, whole numbers 0..255: a few coarse shapes and noise."""
    random = np.random.default_rng(side)
    coarse = np.kron(random.integers(0, 200, (8, 8, 3)), np.ones((64, 64, 1)))[:side, :side]
    return (coarse + random.integers(0, 56, (side, side, 3))).astype(np.float32)


def ours(case: Case, folder: Path) -> dict[str, Any]:
    """What this program makes of the case: loc and conf as Caffe has them, boxes, scores, class_ids."""
    path = folder / "network.caffemodel"
    write_caffemodel(
        path,
        case.prototxt,
        seed=case.seed,
        pixels=case.pixels,
        background=case.background,
        factor=case.factor,
    )
    imported = import_file(path, name="imported", anchors=case.anchors)
    network = build_network(imported.card)
    assign_weights(network, imported.weights)
    answers = network(picture(case.side)[None], training=False)
    offsets, logits = (np.asarray(answers[kind], np.float32)[0] for kind in ("offsets", "logits"))
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    found = select(
        (odds / odds.sum(axis=1, keepdims=True))[:, 1:],
        offsets,
        generate(imported.card.anchors),
        imported.card.variances,
        floor=MIN_SCORE,
        nms_iou=imported.card.nms_iou,
        max_detections=imported.card.max_detections,
    )
    return {
        "loc": offsets.ravel(),
        "conf": logits.ravel(),
        "boxes": found.boxes,
        "scores": found.scores,
        "class_ids": found.class_ids,
        "card": imported.card,
    }


def prepared(case: Case, card: Any) -> Any:
    """(1, 3, side, side) float32, as the network takes it: the card's own preprocessing by hand."""
    mean, scale = np.float32(card.mean), np.float32(card.scale)
    return ((picture(case.side) - mean) * scale).transpose(2, 0, 1)[None].astype(np.float32)


def differences(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, float]:
    """How far they are apart.

    theirs   loc and conf, all values or those at `places`; detections (n, 7) as Caffe gives them
    returns  heads: largest difference, in deviations of their values; scores: largest; boxes: least IoU with
             the box of ours for the same class; missing: boxes that only one of the two has
    """
    result = {}
    for kind in ("loc", "conf"):
        values = mine[kind][theirs[f"{kind}_places"]] if f"{kind}_places" in theirs else mine[kind]
        result[kind] = float(np.abs(values - theirs[kind].ravel()).max() / mine[kind].std())
    rows = theirs["detections"].reshape(-1, 7)
    rows = rows[rows[:, 1] > 0]
    worst_iou, worst_score, found = 1.0, 0.0, 0
    for _, label, score, *box in rows:
        same = np.flatnonzero(mine["class_ids"] == int(label) - 1)
        overlaps = iou_matrix(np.float32([box]), mine["boxes"][same])[0] if len(same) else np.zeros(1)
        best = int(overlaps.argmax())
        if overlaps[best] < 0.9:
            continue
        found += 1
        worst_iou = min(worst_iou, float(overlaps[best]))
        worst_score = max(worst_score, abs(float(mine["scores"][same[best]] - score)))
    missing = len(rows) + len(mine["scores"]) - 2 * found
    return result | {"boxes": worst_iou, "scores": worst_score, "missing": missing, "count": len(rows)}


def make_environment(folder: Path) -> Path:
    """A Python with OpenCV 4 alone; returns its executable."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        wanted = ["opencv-python-headless>=4.8,<5", "numpy>=2,<3"]
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *wanted], check=True)
    return python


def run_there(python: Path, folder: Path, pixels: Any) -> dict[str, Any]:
    """What OpenCV makes of the network that `ours` has written to the folder."""
    np.save(folder / "picture.npy", pixels)
    script = Path(__file__).with_name("opencv4_detect.py")
    files = [folder / name for name in ("network.prototxt", "network.caffemodel", "picture.npy", "out.npz")]
    subprocess.run([str(python), str(script), *map(str, files)], check=True)
    with np.load(folder / "out.npz") as results:
        return dict(results)


def excerpt(theirs: Mapping[str, Any]) -> dict[str, Any]:
    """All boxes and 300 values of each head, with their places."""
    random = np.random.default_rng(0)
    kept: dict[str, Any] = {"detections": theirs["detections"].reshape(-1, 7).astype(np.float32)}
    for kind in ("loc", "conf"):
        values = theirs[kind].ravel()
        places = np.sort(random.choice(len(values), 300, replace=False)).astype(np.int32)
        kept |= {kind: values[places], f"{kind}_places": places}
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CASES)}; default: all")
    parser.add_argument("--environment", type=Path, help="where OpenCV 4 is or shall be installed")
    parser.add_argument("--keep", action="store_true", help="write what the default tests compare with")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        python = make_environment(options.environment or folder / "environment")
        for name in options.names or CASES:
            case = CASES[name]
            mine = ours(case, folder)
            theirs = run_there(python, folder, prepared(case, mine["card"]))
            measured = differences(mine, theirs)
            print(name, *(f"{what} {value:.3g}" for what, value in measured.items()), sep="  ", flush=True)
            if options.keep:
                DATA.mkdir(parents=True, exist_ok=True)
                np.savez_compressed(DATA / f"{name}.npz", **excerpt(theirs))


if __name__ == "__main__":
    main()
