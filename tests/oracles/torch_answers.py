"""What the PyTorch originals answer with seeded weights; see torch_answers.sh, which runs it.

  python tests/oracles/torch_answers.py FOLDER

A file for each: the names and shapes of its state dict, and the answers of some of its anchors; of
torchvision's also the anchors and the boxes it keeps. Nothing of the originals is in them but names.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))
from seeded_weights import picture, seeded
from torch_originals import (
    Amdegroot,
    Lufficc512,
    Nvidia,
    QfgaohaoMobileNet,
    QfgaohaoVGG,
    load_torchvision,
)

_CLASSES = 4  # background included
_ROWS = 300


def fill(network: nn.Module, gain: float = 2.0) -> dict[str, tuple[int, ...]]:
    """Gives a network its seeded weights; the shapes of its state dict by name."""
    state = network.state_dict()
    shapes = {name: tuple(each.shape) for name, each in state.items() if "num_batches" not in name}
    for name, shape in shapes.items():
        state[name].copy_(torch.from_numpy(seeded(name, shape, gain)))
    network.eval()
    return shapes


def sample(offsets: Any, logits: Any) -> dict[str, Any]:
    rows = np.sort(np.random.default_rng(3).choice(len(offsets), _ROWS, replace=False))
    rows = np.unique(np.concatenate([rows, np.arange(len(offsets) - 40, len(offsets))]))
    return {"rows": rows, "offsets": offsets.numpy()[rows], "logits": logits.numpy()[rows]}


def save(path: Path, shapes: Mapping[str, tuple[int, ...]], answers: Mapping[str, Any]) -> None:
    small = {
        name: each.astype(np.float32) if np.asarray(each).dtype == np.float64 else each
        for name, each in answers.items()
    }
    np.savez_compressed(path, state=json.dumps(shapes), **small)
    print(path.name, path.stat().st_size)


def of_rebuilt(network: nn.Module, size: int, mean: Any, scale: Any) -> dict[str, Any]:
    scaled = (picture((size, size)).astype(np.float32) - np.float32(mean)) * np.float32(scale)
    with torch.inference_mode():
        offsets, logits = network(torch.from_numpy(scaled.transpose(2, 0, 1))[None])
    return sample(offsets, logits)


def of_torchvision(network: nn.Module, size: int) -> dict[str, Any]:
    """Its answers, anchors in pixels x1, y1, x2, y2, and the boxes it keeps when about 200 may compete."""
    image = torch.from_numpy(picture((size, size)).transpose(2, 0, 1) / np.float32(255))
    with torch.inference_mode():
        images, _ = network.transform([image])
        maps = list(network.backbone(images.tensors).values())
        head = network.head(maps)
        anchors = network.anchor_generator(images, maps)[0]
        scores = torch.softmax(head["cls_logits"][0], 1)[:, 1:]
        network.score_thresh = float(scores.flatten().sort(descending=True)[0][200])
        (kept,) = network([image])
    answers = sample(head["bbox_regression"][0], head["cls_logits"][0])
    return answers | {
        "anchors": anchors.numpy()[answers["rows"]],
        "floor": np.float32(network.score_thresh),
        "boxes": kept["boxes"].numpy(),
        "scores": kept["scores"].numpy(),
        "labels": kept["labels"].numpy(),
    }


def tensors(folder: Path) -> None:
    """Two files of tensors of every kind, in both containers, and what they hold."""
    numbers = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    state: dict[str, Any] = {
        "float64": numbers.double() / 7,
        "bfloat16": (numbers / 7).bfloat16(),
        "float16": (numbers / 7).half(),
        "int64": numbers.long(),
        "uint8": numbers.byte(),
        "bool": numbers > 5,
        "turned": numbers.permute(2, 0, 1),
        "part": numbers[1:, :, ::2],
        "shared": numbers,
        "single": torch.tensor(3.5),
        "empty": torch.zeros(0, 4),
        "parameter": nn.Parameter(numbers[0] + 0.5),
    }
    torch.save(state, folder / "tensors_zip.pth")
    torch.save(state, folder / "tensors_old.pth", _use_new_zipfile_serialization=False)
    values = {name: each.detach().float().numpy() for name, each in state.items()}
    np.savez_compressed(folder / "tensors.npz", **values)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tensors(folder)
    detection = load_torchvision().models.detection
    no_weights: dict[str, Any] = {"weights": None, "weights_backbone": None, "num_classes": _CLASSES}
    for name, build, size, gain in (
        ("ssdlite320_mobilenet_v3_large", detection.ssdlite320_mobilenet_v3_large, 320, 1.0),
        ("ssd300_vgg16", detection.ssd300_vgg16, 300, 2.0),
    ):
        network = build(**no_weights)
        shapes = fill(network, gain)
        answers = of_torchvision(network, size) | {"gain": np.float32(gain)}
        save(folder / f"torchvision_{name}.npz", shapes, answers)
    vgg = ([123, 117, 104], 1)
    imagenet = (
        np.array([0.485, 0.456, 0.406]) * 255,
        1 / (np.array([0.229, 0.224, 0.225]) * 255),
    )
    for name, network, size, scaling in (
        ("amdegroot", Amdegroot(_CLASSES), 300, vgg),
        ("lufficc_512", Lufficc512(_CLASSES), 512, vgg),
        ("qfgaohao_vgg16", QfgaohaoVGG(_CLASSES), 300, vgg),
        ("qfgaohao_mb1", QfgaohaoMobileNet(_CLASSES), 300, ([127] * 3, 1 / 128)),
        ("nvidia", Nvidia(_CLASSES), 300, imagenet),
    ):
        shapes = fill(network)
        save(folder / f"{name}.npz", shapes, of_rebuilt(network, size, *scaling))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
