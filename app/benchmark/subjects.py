"""What a benchmark runs on where nobody names a model or a picture."""

import cv2
import numpy as np

from detector.engines.pictures import fill
from detector.model_store import Model, save_model
from detector.places import cache_folder
from detector.values import Frame

# The networks that everybody compares: architecture -> number of classes, PASCAL VOC's and COCO's ids.
RANDOM_NETWORKS = {"ssd300-vgg16": 20, "ssd300-mobilenet-v1": 90}

# Pairs of anchor and class above the floor of 0.05, so that NMS has a usual amount to do. The COCO model has
# 930, 790 and 2600 on three street videos (medians); the best 1000 take part in NMS.
CANDIDATES_ABOVE_FLOOR = 900


def random_model(architecture: str, frame: Frame, *, classes: int) -> Model:
    """An architecture with random weights, the same each time, in the cache folder.

    Speed does not depend on what a network has learnt, as long as its numbers are of usual size.
    """
    from detector.networks.catalog import build_network, new_card
    from detector.networks.random_weights import randomize
    from detector.networks.weights import weights_of

    names = [f"class {number}" for number in range(classes)]
    card = new_card(architecture, name=f"{architecture}-random", classes=names)
    picture = np.empty((*card.input_size, 3), np.uint8)
    fill(picture, frame, card.channel_order)
    network = build_network(card)
    randomize(network, card, picture, above=CANDIDATES_ABOVE_FLOOR)
    return save_model(card, weights_of(network), folder=cache_folder() / "benchmark", force=True)


def drawn_frame(width: int, height: int) -> Frame:
    """Coloured shapes on coloured clouds, always the same: to every stage it is like a photograph."""
    rng = np.random.default_rng(0)
    clouds = rng.integers(0, 255, (9, 16, 3), np.uint8)
    pixels = np.empty((height, width, 3), np.uint8)
    cv2.resize(clouds, (width, height), dst=pixels, interpolation=cv2.INTER_CUBIC)
    for _ in range(24):
        x, y, radius = (int(value) for value in rng.integers(0, (width, height, height // 4)))
        cv2.circle(pixels, (x, y), radius, rng.integers(0, 255, 3).tolist(), -1, cv2.LINE_AA)
    return Frame(pixels)
