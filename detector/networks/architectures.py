"""The architectures by name, as a list that loads no Keras.

A further one is a function that turns normalised pictures into feature maps, in a file of its own, and one
entry here; or all in one file of the person's, as docs/own-network.md shows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from detector.box_coder import VARIANCES, Variances
from detector.model_card import ChannelOrder, Option, ScoreActivation

# "module:function", so that nothing is loaded before it is used; or the function itself
Reference: TypeAlias = str | Callable[..., Any]


class Preprocessing(NamedTuple):
    """What a network is given: (x - mean) * scale of 0..255, channels in this order."""

    channel_order: ChannelOrder
    mean: tuple[float, float, float]
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """What an architecture is by itself; a card says what one model makes of it.

    summary            one line for people
    feature_maps       function(pictures, **options) -> {name: feature map}, finest first
    head               function(feature_map, channels, name=..., **options) -> what the map's predictor says;
                       its last convolution is called `name`
    layouts            anchors at the usual input size, names of LAYOUTS: the usual ones, then others that fit
    smallest_input     pixels a side; below it the last feature map would vanish
    options            what may be varied, with the usual values
    published          mean average precision its authors state, in per cent
    weights            whose published weights can be imported
    keras_application  the same backbone in keras.applications, learnt on ImageNet; empty: there is none
    """

    name: str
    summary: str
    feature_maps: Reference
    head: Reference
    layouts: tuple[str, ...]
    smallest_input: int = 1
    preprocessing: Preprocessing
    variances: Variances = VARIANCES
    score_activation: ScoreActivation = "softmax"
    options: Mapping[str, Option] = field(default_factory=dict)
    published: str = ""
    weights: str = ""
    keras_application: str = ""


_VGG = Preprocessing("BGR", (104.0, 117.0, 123.0))
_MINUS_1_TO_1 = Preprocessing("RGB", (127.5, 127.5, 127.5), (1 / 127.5, 1 / 127.5, 1 / 127.5))
_IMAGENET = Preprocessing(
    "RGB",
    (0.485 * 255, 0.456 * 255, 0.406 * 255),
    (1 / (0.229 * 255), 1 / (0.224 * 255), 1 / (0.225 * 255)),
)
_3X3 = "detector.networks.heads:convolution_3x3"
_1X1 = "detector.networks.heads:convolution_1x1"
_SEPARABLE = "detector.networks.heads:separable_3x3"

_ALL = (
    Architecture(
        name="ssd300-vgg16",
        summary="the SSD300 of the paper: VGG16 with dilated fc6, 8732 anchors",
        feature_maps="detector.networks.vgg:ssd300",
        head=_3X3,
        layouts=(
            "ssd300-voc",
            "ssd300-coco",
            "ssd300-voc-clamped",
            "ssd300-coco-clamped",
            "ssd300-voc-clipped",
            "ssd300-voc-jedol",
            "ssd300-chunml",
        ),
        smallest_input=257,
        preprocessing=_VGG,
        published="VOC07 77.2, COCO 25.1",
        weights="Caffe, pierluigiferrari, amdegroot, lufficc",
        keras_application="VGG16",
    ),
    Architecture(
        name="ssd512-vgg16",
        summary="the SSD512 of the paper: a seventh map, 24564 anchors",
        feature_maps="detector.networks.vgg:ssd512",
        head=_3X3,
        # Caffe's released code cuts sizes to whole pixels, its ports do not
        layouts=(
            "ssd512-voc",
            "ssd512-voc-exact",
            "ssd512-coco",
            "ssd512-coco-exact",
            "ssd512-voc-clamped",
            "ssd512-coco-clamped",
            "ssd512-coco-paz",
        ),
        smallest_input=257,
        preprocessing=_VGG,
        published="VOC07 79.8, COCO 28.8",
        weights="Caffe, pierluigiferrari, lufficc",
        keras_application="VGG16",
    ),
    Architecture(
        name="ssd300-vgg16-v1",
        summary="the paper's first version, 7308 anchors: rykov8 and its descendants",
        feature_maps="detector.networks.vgg:ssd300_v1",
        head="detector.networks.vgg:head_v1",
        layouts=("ssd300-rykov8",),
        preprocessing=Preprocessing("BGR", (103.939, 116.779, 123.68)),
        published="VOC07 72.1",
        weights="rykov8",
        keras_application="VGG16",
    ),
    Architecture(
        name="ssd300-vgg16-torchvision",
        summary="the SSD300 of the paper as torchvision trains it: RGB, anchors no larger than the picture",
        feature_maps="detector.networks.vgg:ssd300",
        head=_3X3,
        layouts=("torchvision-ssd300",),
        smallest_input=257,
        preprocessing=Preprocessing("RGB", (0.48235 * 255, 0.45882 * 255, 0.40784 * 255)),
        published="COCO 25.1",
        weights="torchvision",
    ),
    Architecture(
        name="ssd300-vgg16-qfgaohao",
        summary="the SSD300 of the paper as qfgaohao's vgg16-ssd: batch normalisation of the first map",
        feature_maps="detector.networks.vgg:ssd300_qfgaohao",
        head=_3X3,
        layouts=("ssd300-voc-clamped",),
        smallest_input=257,
        preprocessing=Preprocessing("RGB", (123.0, 117.0, 104.0)),
        published="VOC07 77.3",
        weights="qfgaohao",
    ),
    Architecture(
        name="ssd7",
        summary="seven small convolutions for pictures of any size: quick to train, weak on hard pictures",
        feature_maps="detector.networks.ssd7:ssd7",
        head=_3X3,
        layouts=("ssd7-300x480", "ssd7-300"),
        smallest_input=64,
        preprocessing=_MINUS_1_TO_1,
        variances=(1.0, 1.0, 1.0, 1.0),
        options={"padded_predictors": True},
        weights="pierluigiferrari and others, each for a data set of its own",
    ),
    Architecture(
        name="ssd300-mobilenet-v1",
        summary="MobileNet v1 as in the TensorFlow Object Detection API, 1917 anchors: fast on CPUs",
        feature_maps="detector.networks.mobilenet:ssd300_v1",
        head=_1X1,
        layouts=("tf-ssd-300",),
        preprocessing=_MINUS_1_TO_1,
        score_activation="sigmoid",
        # width: 0.25, 0.5, 0.75, 1.0; folded: batch normalisation is part of kernels and biases
        options={"width": 1.0, "folded": False},
        published="COCO 21",
        weights="TensorFlow (TFLite files)",
        keras_application="MobileNet",
    ),
    Architecture(
        name="ssd300-mobilenet-v1-caffe",
        summary="MobileNet v1 as chuanqi305's MobileNet-SSD for Caffe, 1917 anchors",
        feature_maps="detector.networks.mobilenet:ssd300_v1_caffe",
        head=_1X1,
        layouts=("mobilenet-ssd-caffe",),
        preprocessing=Preprocessing("BGR", (127.5, 127.5, 127.5), (0.007843, 0.007843, 0.007843)),
        options={"width": 1.0, "folded": False},
        published="VOC07 72.7",
        weights="chuanqi305 (Caffe)",
    ),
    Architecture(
        name="ssd300-mobilenet-v1-qfgaohao",
        summary="MobileNet v1 as qfgaohao's mb1-ssd for PyTorch, 3000 anchors",
        feature_maps="detector.networks.mobilenet:ssd300_v1_qfgaohao",
        head=_3X3,
        layouts=("mobilenet-qfgaohao",),
        preprocessing=Preprocessing("RGB", (127.0, 127.0, 127.0), (1 / 128, 1 / 128, 1 / 128)),
        options={"width": 1.0},
        published="VOC07 67.6",
        weights="qfgaohao",
    ),
    Architecture(
        name="ssd300-mobilenet-v2",
        summary="MobileNet v2 as in the TensorFlow Object Detection API, 1917 anchors, dense predictors",
        feature_maps="detector.networks.mobilenet_v2:ssd300_v2",
        head=_3X3,
        layouts=("tf-ssd-300",),
        preprocessing=_MINUS_1_TO_1,
        score_activation="sigmoid",
        options={"folded": False},
        published="COCO 22",
        weights="TensorFlow (TFLite files)",
    ),
    Architecture(
        name="ssdlite300-mobilenet-v2",
        summary="the same with separable predictors: a quarter of the parameters",
        feature_maps="detector.networks.mobilenet_v2:ssd300_v2",
        head=_SEPARABLE,
        layouts=("tf-ssd-300",),
        preprocessing=_MINUS_1_TO_1,
        score_activation="sigmoid",
        options={"folded": False},
        published="COCO 22",
        weights="TensorFlow (TFLite and TensorFlow.js files)",
    ),
    Architecture(
        name="ssdlite320-mobilenet-v3",
        summary="torchvision's ssdlite320: MobileNet v3 (large) with a reduced tail, 3234 anchors",
        feature_maps="detector.networks.mobilenet_v3:ssdlite320_v3",
        head=_SEPARABLE,
        layouts=("torchvision-ssdlite320",),
        preprocessing=_MINUS_1_TO_1,
        published="COCO 21.3",
        weights="torchvision",
    ),
    Architecture(
        name="ssd300-resnet50",
        summary="ResNet-50 up to its fourth stage, as NVIDIA's SSD300, 8732 anchors",
        feature_maps="detector.networks.resnet:ssd300_resnet50",
        head=_3X3,
        layouts=("ssd300-coco-clamped", "ssd300-coco", "ssd300-voc"),
        smallest_input=257,
        preprocessing=_IMAGENET,
        published="COCO 26.8",
        weights="NVIDIA",
    ),
)

ARCHITECTURES: dict[str, Architecture] = {each.name: each for each in _ALL}
