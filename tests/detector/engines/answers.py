"""What one engine says about a folder of pictures: `python -m tests.detector.engines.answers ... OUT.npz`.

A process for each, since a process has one Keras backend.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from detector.engines import open_engine
from detector.model_store import find_model
from detector.values import Frame


def main(model: str, engine: str, precision: str, pictures: str, out: str) -> None:
    opened = open_engine(find_model(model), engine=engine, device="cpu", precision=precision)
    answers = {"device": np.array(opened.device)}
    for path in sorted(Path(pictures).iterdir()):
        frame = Frame(cv2.imread(str(path)))
        (found,) = opened.detect([frame], floor=0.05)
        answers[f"{path.stem}.size"] = np.array([frame.height, frame.width])
        for name in ("boxes", "scores", "class_ids"):
            answers[f"{path.stem}.{name}"] = getattr(found, name)
    np.savez(out, **answers)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(*sys.argv[1:])
