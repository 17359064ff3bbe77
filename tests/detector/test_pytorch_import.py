"""PyTorch SSDs as models of ours: the same answers as the originals gave in PyTorch (tests/oracles)."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.anchor_layouts import LAYOUTS
from detector.anchors import AnchorLayout, generate
from detector.box_coder import decode
from detector.boxes import iou_matrix, to_xyxy
from detector.errors import ImportFileError, OptionError
from detector.importers import import_file, inspect_file
from detector.importers.imported import Imported
from detector.networks.catalog import build_network
from detector.networks.weights import assign_weights
from detector.nms import nms
from tests.detector.torch_files import write_pickles, write_zip
from tests.oracles.seeded_weights import picture, seeded

ANSWERS = Path(__file__).parents[1] / "data" / "torch"
CLASSES = ["a", "b", "c"]

# file of answers -> our architecture, and the anchors to name where the file cannot tell
ORIGINS = {
    "torchvision_ssdlite320_mobilenet_v3_large": ("ssdlite320-mobilenet-v3", None),
    "torchvision_ssd300_vgg16": ("ssd300-vgg16-torchvision", None),
    "amdegroot": ("ssd300-vgg16", "ssd300-voc-clamped"),
    "lufficc_512": ("ssd512-vgg16", "ssd512-coco-clamped"),
    "qfgaohao_vgg16": ("ssd300-vgg16-qfgaohao", None),
    "qfgaohao_mb1": ("ssd300-mobilenet-v1-qfgaohao", None),
    "nvidia": ("ssd300-resnet50", None),
}
_IN_A_MOMENT = ("torchvision_ssdlite320_mobilenet_v3_large", "torchvision_ssd300_vgg16", "qfgaohao_mb1")


def state_of(origin: str) -> dict[str, NDArray[np.float32]]:
    """The state dict the original had: names and shapes from PyTorch, numbers drawn anew."""
    kept = np.load(ANSWERS / f"{origin}.npz")
    gain = float(kept["gain"]) if "gain" in kept else 2.0
    return {name: seeded(name, tuple(shape), gain) for name, shape in json.loads(str(kept["state"])).items()}


def imported_from(origin: str, folder: Path, **said: Any) -> Imported:
    names = folder / "names.txt"
    names.write_text("\n".join(CLASSES), encoding="utf-8")
    write = write_pickles if origin == "amdegroot" else write_zip
    file = write(folder / f"{origin}.pth", state_of(origin), inside="model" if origin == "nvidia" else None)
    return import_file(file, name="x", **{"classes_file": names, "anchors": ORIGINS[origin][1], **said})


@pytest.mark.parametrize(
    "origin", [pytest.param(each, marks=[] if each in _IN_A_MOMENT else pytest.mark.slow) for each in ORIGINS]
)
def test_an_original_s_weights_give_the_original_s_answers(origin: str, tmp_path: Path) -> None:
    imported = imported_from(origin, tmp_path)
    card, expected = imported.card, np.load(ANSWERS / f"{origin}.npz")
    assert card.architecture == ORIGINS[origin][0] and card.classes == tuple(CLASSES)
    network = build_network(card)
    assign_weights(network, imported.weights)
    pixels = picture(card.input_size)[..., :: 1 if card.channel_order == "RGB" else -1]
    answers = {kind: np.asarray(each)[0] for kind, each in network(pixels[None].astype(np.float32)).items()}
    rows = expected["rows"]
    if origin == "nvidia":
        rows = _shape_by_shape(card.anchors)[rows]
        original = generate(LAYOUTS["ssd300-coco-nvidia"])
        np.testing.assert_array_equal(generate(card.anchors)[rows], original[expected["rows"]])
    for kind in ("offsets", "logits"):
        theirs = expected[kind]
        assert theirs.std() > 0.01
        tolerance = 1e-4 * np.abs(theirs).max()
        np.testing.assert_allclose(answers[kind][rows], theirs, rtol=0, atol=tolerance)
    if "anchors" in expected:
        _compare_with_torchvision(imported, answers, expected)


def _shape_by_shape(layout: AnchorLayout) -> NDArray[np.intp]:
    """Our rows in NVIDIA's order: within a map all cells of the first shape, then of the next."""
    starts = np.cumsum([0, *layout.counts])
    rows = [
        start + np.moveaxis(np.arange(count).reshape(each.height, each.width, -1), 2, 0).ravel()
        for start, count, each in zip(starts, layout.counts, layout.maps)
    ]
    return np.concatenate(rows)


def _compare_with_torchvision(imported: Imported, answers: Any, expected: Any) -> None:
    card = imported.card
    side = card.input_size[0]
    anchors = generate(card.anchors)
    in_pixels = to_xyxy(anchors[expected["rows"]]) * side
    np.testing.assert_allclose(in_pixels, expected["anchors"], rtol=0, atol=1e-6 * side)

    exponents = np.exp(answers["logits"] - answers["logits"].max(axis=1, keepdims=True))
    scores = (exponents / exponents.sum(axis=1, keepdims=True))[:, 1:]
    anchor_ids, class_ids = np.nonzero(scores > expected["floor"])
    boxes = to_xyxy(decode(answers["offsets"][anchor_ids], anchors[anchor_ids], card.variances))
    boxes = np.clip(boxes, 0, 1) * np.float32(side)  # torchvision clips before NMS
    values = scores[anchor_ids, class_ids]
    kept = nms(boxes, values, class_ids, nms_iou=card.nms_iou, max_detections=card.max_detections)
    assert len(kept) == len(expected["boxes"]) > 20
    assert (class_ids[kept] + 1).tolist() == expected["labels"].tolist()
    np.testing.assert_allclose(values[kept], expected["scores"], atol=1e-5)
    assert np.diag(iou_matrix(boxes[kept], expected["boxes"])).min() > 0.999


def test_what_a_file_cannot_say_must_be_said(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match=r"--anchors: ssd300-voc-clamped \(.*ssd300-coco-clamped \("):
        imported_from("amdegroot", tmp_path, anchors=None)
    with pytest.raises(ImportFileError, match="name them with --classes FILE"):
        imported_from("qfgaohao_mb1", tmp_path, classes_file=None)


def test_what_contradicts_the_file_is_refused(tmp_path: Path) -> None:
    two = tmp_path / "two.txt"
    two.write_text("a\nb\n", encoding="utf-8")
    with pytest.raises(ImportFileError, match=r"3 \+ 1 classes.*names 2"):
        imported_from("qfgaohao_mb1", tmp_path, classes_file=two)
    with pytest.raises(ImportFileError, match="holds ssd300-mobilenet-v1-qfgaohao, not ssd7"):
        imported_from("qfgaohao_mb1", tmp_path, architecture="ssd7")
    with pytest.raises(OptionError, match="There are no anchors"):
        imported_from("amdegroot", tmp_path, anchors="ssd300-pascal")


def test_torchvision_s_91_slots_become_the_80_classes_of_coco(tmp_path: Path) -> None:
    state = state_of("torchvision_ssdlite320_mobilenet_v3_large")
    last = re.compile(r"head\.classification_head\.module_list\.\d\.1\.(weight|bias)")
    wide = {
        name: np.resize(array, (6 * 91, *array.shape[1:])) if last.fullmatch(name) else array
        for name, array in state.items()
    }
    imported = import_file(write_zip(tmp_path / "coco.pth", wide), name="coco")
    assert len(imported.card.classes) == 80 and imported.card.classes[11] == "stop sign"
    assert imported.weights["tail_logits/bias"].shape == (6 * 81,)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"extras.0.0.weight": None}, "weights lack Conv2d_14_1x1/kernel"),
        ({"extras.9.weight": (4,)}, "is a network that is not known here"),
        ({"base_net.5.3.weight": (256, 256, 3, 3)}, "Conv2d_5_pointwise/kernel is"),
        ({"classification_headers.2.weight": (23, 512, 3, 3)}, "do not agree on the number of classes"),
    ],
)
def test_a_file_that_differs_from_the_published_network_is_refused(
    changes: dict[str, tuple[int, ...] | None], words: str, tmp_path: Path
) -> None:
    state = state_of("qfgaohao_mb1")
    for name, shape in changes.items():
        if shape is None:
            del state[name]
        else:
            state[name] = np.zeros(shape, np.float32)
    names = tmp_path / "names.txt"
    names.write_text("a\nb\nc\n", encoding="utf-8")
    with pytest.raises(ImportFileError, match=words):
        import_file(write_zip(tmp_path / "x.pth", state), name="x", classes_file=names)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["base_net.3.squeeze.weight"], "sq-ssd-lite"),
        (["base_net.1.3.weight", "extras.0.2.0.weight"], "mb1-ssd-lite"),
        (["base_net.1.conv.0.weight", "extras.0.conv.0.weight"], "mb2-ssd-lite"),
        (["backbone._conv_stem.weight"], "EfficientNet"),
        (["backbone.features.0.0.weight", "box_head.predictor.cls_headers.0.weight"], "lufficc's"),
        (["rpn.head.cls_logits.weight"], "Faster R-CNN"),
        (["0.weight", "31.weight", "33.weight"], "backbone that predicts nothing"),
    ],
)
def test_other_networks_are_refused_by_their_names(names: list[str], words: str, tmp_path: Path) -> None:
    file = write_zip(tmp_path / "x.pth", {name: np.zeros((2, 2), np.float32) for name in names})
    with pytest.raises(ImportFileError, match=words):
        import_file(file, name="x")
    assert words in inspect_file(file).looks_like


def test_a_face_detector_is_inspected_and_refused_by_its_name(shared: Path) -> None:
    file = shared / "models" / "ultraface" / "version-RFB-320.pth"
    seen = inspect_file(file)
    assert seen.container == "a PyTorch checkpoint (before PyTorch 1.6)"
    assert (len(seen.arrays), seen.numbers) == (244, 281_135)
    assert {each.dtype for each in seen.arrays} == {"float32", "int64"}
    assert "face detector of the kind of UltraFace" in seen.looks_like
    with pytest.raises(ImportFileError, match="UltraFace"):
        import_file(file, name="x")
