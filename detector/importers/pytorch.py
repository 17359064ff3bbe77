"""SSDs out of PyTorch checkpoints, read without PyTorch."""

from collections.abc import Iterable
from pathlib import Path

from detector.errors import ImportFileError
from detector.importers import torch_nvidia, torch_qfgaohao, torch_torchvision, torch_vgg
from detector.importers.imported import Imported
from detector.importers.inspection import Array, Inspection
from detector.importers.said import Said
from detector.importers.settling import settle
from detector.importers.torch_file import read_checkpoint
from detector.importers.torch_origin import Origin, translate

_ORIGINS = (
    torch_torchvision.SSD300,
    torch_torchvision.SSDLITE,
    torch_vgg.AMDEGROOT,
    *torch_vgg.LUFFICC,
    torch_qfgaohao.VGG,
    torch_qfgaohao.MOBILENET,
    torch_nvidia.SSD300,
)
# What else may be met, by arrays that only such a network has: the first that has them all.
_OTHERS = (
    (("base_net.3.squeeze.weight",), "qfgaohao's sq-ssd-lite, on SqueezeNet"),
    (("base_net.7.branch0.0.conv.weight",), "a face detector of the kind of UltraFace"),
    (("base_net.1.3.weight", "extras.0.2.0.weight"), "qfgaohao's mb1-ssd-lite, on MobileNet v1"),
    (("base_net.1.conv.0.weight", "extras.0.conv.0.weight"), "qfgaohao's mb2-ssd-lite, on MobileNet v2"),
    (("base_net.1.conv.0.weight",), "an SSD of qfgaohao on MobileNet v2 or v3"),
    (("backbone._conv_stem.weight",), "lufficc's SSD on EfficientNet"),
    (
        ("backbone.features.0.0.weight", "box_head.predictor.cls_headers.0.weight"),
        "lufficc's SSD on MobileNet",
    ),
    (("backbone.features.0.0.weight", "box_head.predictor.cls_headers.0.conv.0.weight"), "lufficc's SSDLite"),
    (("rpn.head.cls_logits.weight",), "torchvision's Faster R-CNN, which is no SSD"),
    (("head.classification_head.cls_logits.weight",), "torchvision's RetinaNet or FCOS, which is no SSD"),
    (
        ("0.weight", "31.weight", "33.weight"),
        "VGG16 with reduced fc6 and fc7, a backbone that predicts nothing",
    ),
    (("features.0.weight", "classifier.6.weight"), "VGG16 for classification, which predicts no boxes"),
    (("conv1.weight", "layer1.0.conv1.weight"), "a ResNet, which predicts no boxes"),
)


def import_pytorch(path: Path, *, name: str, said: Said) -> Imported:
    """The SSD of a .pth or .pt file.

    raises  ImportFileError when it is damaged, wants to call something, is another network, or not what the
            person says
    """
    checkpoint = read_checkpoint(path)
    origin = _origin(checkpoint.tensors)
    if origin is None:
        raise ImportFileError(f"{path.name} {_foreign(checkpoint.tensors)}")
    return settle(path, translate(path, checkpoint, origin), name=name, said=said)


def inspect_pytorch(path: Path) -> Inspection:
    """raises  ImportFileError when it is damaged, or wants to call something"""
    checkpoint = read_checkpoint(path)
    arrays = [Array(name, each.shape, each.storage.dtype) for name, each in checkpoint.tensors.items()]
    origin = _origin(checkpoint.tensors)
    words = f"It looks like {origin.what}." if origin else f"It {_foreign(checkpoint.tensors)}"
    return Inspection(checkpoint.container, arrays, words)


def _origin(names: Iterable[str]) -> Origin | None:
    wanted = {name for name in names if not name.endswith(".num_batches_tracked")}
    return next((origin for origin in _ORIGINS if origin.fits(wanted)), None)


def _foreign(names: Iterable[str]) -> str:
    """What else it may be, to stand behind its name."""
    present = set(names)
    looks = next((words for marks, words in _OTHERS if present.issuperset(marks)), None)
    known = ", ".join(origin.what for origin in _ORIGINS)
    if looks is None:
        first = ", ".join(list(names)[:3])
        return f"is a network that is not known here ({first}, ...); there are {known}."
    return f"looks like {looks}; what can be imported of PyTorch is {known}."
