"""The SSDs that were written in PyTorch, with the names of their modules.

torchvision's are its own; the others are rebuilt from what is known of their layers, for files and answers in
their form. Imported only where PyTorch is (see torch_answers.sh).
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

_VGG = (64, 64, "M", 128, 128, "M", 256, 256, 256, "C", 512, 512, 512, "M", 512, 512, 512)
_SSD300 = (4, 6, 6, 6, 4, 4)
_SSD512 = (4, 6, 6, 6, 6, 4, 4)


def load_torchvision() -> Any:
    """torchvision, also where its compiled operators do not load beside this build of PyTorch."""
    try:
        import torchvision
    except RuntimeError:  # operator torchvision::nms does not exist
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.impl("nms", _nms, "CPU")
        load_torchvision.library = library  # type: ignore[attr-defined]  # defined for as long as it lives
        import torchvision
        from torchvision.ops import boxes

        boxes._assert_has_ops = lambda: None
    return torchvision


def _nms(boxes: Tensor, scores: Tensor, limit: float) -> Tensor:
    from torchvision.ops import box_iou

    kept: list[int] = []
    for index in scores.argsort(descending=True, stable=True).tolist():
        if not kept or float(box_iou(boxes[index : index + 1], boxes[kept]).max()) <= limit:
            kept.append(index)
    return torch.tensor(kept, dtype=torch.int64)


class LengthNorm(nn.Module):
    """amdegroot's and lufficc's L2Norm."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        length = x.pow(2).sum(1, keepdim=True).sqrt() + 1e-10
        return x / length * self.weight[None, :, None, None]


def _vgg() -> nn.ModuleList:
    """35 modules: conv4_3 ends with the 23rd, fc7 with the last."""
    modules: list[nn.Module] = []
    channels = 3
    for each in _VGG:
        if isinstance(each, int):
            modules += [nn.Conv2d(channels, each, 3, padding=1), nn.ReLU()]
            channels = each
        else:
            modules.append(nn.MaxPool2d(2, 2, ceil_mode=each == "C"))
    fc6 = nn.Conv2d(512, 1024, 3, padding=6, dilation=6)
    modules += [nn.MaxPool2d(3, 1, 1), fc6, nn.ReLU(), nn.Conv2d(1024, 1024, 1), nn.ReLU()]
    return nn.ModuleList(modules)


def _vgg_extras(size: int) -> list[nn.Conv2d]:
    halving = [(1024, 256, 512), (512, 128, 256)] + [(256, 128, 256)] * (2 if size == 512 else 0)
    layers: list[nn.Conv2d] = []
    for given, inside, out in halving:
        layers += [nn.Conv2d(given, inside, 1), nn.Conv2d(inside, out, 3, 2, 1)]
    for _ in range(2 if size == 300 else 0):
        layers += [nn.Conv2d(256, 128, 1), nn.Conv2d(128, 256, 3)]
    return layers + ([nn.Conv2d(256, 128, 1), nn.Conv2d(128, 256, 4, 1, 1)] if size == 512 else [])


def _heads(channels: list[int], anchors: tuple[int, ...], values: int, **settings: int) -> nn.ModuleList:
    return nn.ModuleList(nn.Conv2d(c, a * values, 3, **settings) for c, a in zip(channels, anchors))


def _rows(maps: list[Tensor], heads: nn.ModuleList, values: int) -> Tensor:
    """(anchors, values): row, column, anchor, value, as all but NVIDIA have them."""
    answers = (head(each).permute(0, 2, 3, 1).reshape(-1, values) for head, each in zip(heads, maps))
    return torch.cat(list(answers))


def _walk_vgg(vgg: nn.ModuleList, norm: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    for layer in vgg[:23]:
        x = layer(x)
    first = norm(x)
    for layer in vgg[23:]:
        x = layer(x)
    return first, x


class Amdegroot(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.vgg, self.L2Norm = _vgg(), LengthNorm(512)
        self.extras = nn.ModuleList(_vgg_extras(300))
        channels = [512, 1024, 512, 256, 256, 256]
        self.loc = _heads(channels, _SSD300, 4, padding=1)
        self.conf = _heads(channels, _SSD300, classes, padding=1)
        self.classes = classes

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        maps = list(_walk_vgg(self.vgg, self.L2Norm, x))
        for index, layer in enumerate(self.extras):
            x = torch.relu(layer(maps[-1] if index == 0 else x))
            if index % 2:
                maps.append(x)
        return _rows(maps, self.loc, 4), _rows(maps, self.conf, self.classes)


class Lufficc512(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        channels = [512, 1024, 512, 256, 256, 256, 256]
        self.backbone = nn.Module()
        self.backbone.vgg, self.backbone.l2_norm = _vgg(), LengthNorm(512)
        self.backbone.extras = nn.ModuleList(_vgg_extras(512))
        self.box_head = nn.Module()
        self.box_head.predictor = nn.Module()
        self.box_head.predictor.cls_headers = _heads(channels, _SSD512, classes, padding=1)
        self.box_head.predictor.reg_headers = _heads(channels, _SSD512, 4, padding=1)
        self.classes = classes

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        backbone, predictor = self.backbone, self.box_head.predictor
        maps = list(_walk_vgg(backbone.vgg, backbone.l2_norm, x))
        for index, layer in enumerate(backbone.extras):
            x = torch.relu(layer(maps[-1] if index == 0 else x))
            if index % 2:
                maps.append(x)
        return _rows(maps, predictor.reg_headers, 4), _rows(maps, predictor.cls_headers, self.classes)


def _pairs(layers: list[nn.Conv2d]) -> nn.ModuleList:
    """qfgaohao's extra layers: two convolutions with ReLU in a row."""
    pairs = zip(layers[0::2], layers[1::2])
    return nn.ModuleList(nn.Sequential(one, nn.ReLU(), two, nn.ReLU()) for one, two in pairs)


class Qfgaohao(nn.Module):
    """What vgg16-ssd and mb1-ssd share."""

    def __init__(self, channels: list[int], anchors: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.regression_headers = _heads(channels, anchors, 4, padding=1)
        self.classification_headers = _heads(channels, anchors, classes, padding=1)
        self.classes = classes

    def trunk(self, x: Tensor) -> Iterator[Tensor]:
        raise NotImplementedError

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        maps = list(self.trunk(x))
        for extra in self.extras:
            maps.append(extra(maps[-1]))
        return _rows(maps, self.regression_headers, 4), _rows(maps, self.classification_headers, self.classes)


class QfgaohaoVGG(Qfgaohao):
    def __init__(self, classes: int) -> None:
        super().__init__([512, 1024, 512, 256, 256, 256], _SSD300, classes)
        self.base_net = _vgg()
        self.source_layer_add_ons = nn.ModuleList([nn.BatchNorm2d(512)])
        self.extras = _pairs(_vgg_extras(300))

    def trunk(self, x: Tensor) -> Iterator[Tensor]:
        yield from _walk_vgg(self.base_net, self.source_layer_add_ons[0], x)


class QfgaohaoMobileNet(Qfgaohao):
    def __init__(self, classes: int) -> None:
        super().__init__([512, 1024, 512, 256, 256, 256], (6,) * 6, classes)
        trunk = [self._first(32)]
        channels, plan = 32, [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]
        for out, stride in [*plan, *[(512, 1)] * 5, (1024, 2), (1024, 1)]:
            trunk.append(self._pair(channels, out, stride))
            channels = out
        self.base_net = nn.ModuleList(trunk)
        given, extras = 1024, []
        for inside, out in ((256, 512), (128, 256), (128, 256), (128, 256)):
            extras += [nn.Conv2d(given, inside, 1), nn.Conv2d(inside, out, 3, 2, 1)]
            given = out
        self.extras = _pairs(extras)

    @staticmethod
    def _first(out: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(3, out, 3, 2, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU())

    @staticmethod
    def _pair(given: int, out: int, stride: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(given, given, 3, stride, 1, groups=given, bias=False),
            nn.BatchNorm2d(given),
            nn.ReLU(),
            nn.Conv2d(given, out, 1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
        )

    def trunk(self, x: Tensor) -> Iterator[Tensor]:
        for index, layer in enumerate(self.base_net):
            x = layer(x)
            if index in (11, 13):
                yield x


class Nvidia(nn.Module):
    """On torchvision's ResNet-50; its answers have all anchors' first value first."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        resnet = load_torchvision().models.resnet50(weights=None)
        self.feature_extractor = nn.Module()
        self.feature_extractor.feature_extractor = nn.Sequential(*list(resnet.children())[:7])
        first = self.feature_extractor.feature_extractor[6][0]
        for layer in (first.conv1, first.conv2, first.downsample[0]):
            layer.stride = (1, 1)
        shapes = [(1024, 256, 512, 2), (512, 256, 512, 2), (512, 128, 256, 2), *[(256, 128, 256, 1)] * 2]
        self.additional_blocks = nn.ModuleList(self._extra(*each) for each in shapes)
        channels = [1024, 512, 512, 256, 256, 256]
        self.loc = _heads(channels, _SSD300, 4, padding=1)
        self.conf = _heads(channels, _SSD300, classes, padding=1)
        self.classes = classes

    @staticmethod
    def _extra(given: int, inside: int, out: int, stride: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(given, inside, 1, bias=False),
            nn.BatchNorm2d(inside),
            nn.ReLU(),
            nn.Conv2d(inside, out, 3, stride, 1 if stride == 2 else 0, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        maps = [self.feature_extractor.feature_extractor(x)]
        for extra in self.additional_blocks:
            maps.append(extra(maps[-1]))
        return self._columns(maps, self.loc, 4).T, self._columns(maps, self.conf, self.classes).T

    @staticmethod
    def _columns(maps: list[Tensor], heads: nn.ModuleList, values: int) -> Tensor:
        """(values, anchors), as NVIDIA views them."""
        return torch.cat([head(each)[0].reshape(values, -1) for head, each in zip(heads, maps)], 1)
