"""The card of a model: everything needed to run it, so that no code has to guess."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeAlias, get_args

from detector.anchors import AnchorLayout
from detector.box_coder import VARIANCES, Variances
from detector.errors import ModelError

ChannelOrder: TypeAlias = Literal["RGB", "BGR"]
ScoreActivation: TypeAlias = Literal["softmax", "sigmoid"]
Option: TypeAlias = bool | int | float | str

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def is_model_name(name: str) -> bool:
    """Whether a model may be called so: it must do as a file name, and `catalog` lists what can be had."""
    return bool(_NAME.fullmatch(name)) and not name.endswith((".json", ".h5")) and name != "catalog"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What a network is, what it takes, and what its answers mean.

    architecture      a name of `detector.networks.catalog.ARCHITECTURES`
    options           what that architecture may vary: {"width": 0.75, "folded": True}
    input_size        (height, width) of the network's input, pixels
    anchors           one box for each row of the network's answers
    variances         divide the offsets x, y, w, h (see `detector.box_coder`)
    channel_order     of the pictures the network takes
    mean, scale       per channel in that order; the network's first layer makes (x - mean) * scale of 0..255
    score_activation  turns logits into scores; column 0 of the logits is background
    classes           names by class id, without background
    min_score         shown when nobody says otherwise; a filter after NMS
    nms_iou           boxes of a class that overlap more than this are the same object
    max_detections    per picture
    licence, origin   of the weights, for people
    weights_sha256    of the file of weights; "" before they are saved
    int8_sha256       of the same network in 8-bit numbers, made for OpenVINO; "" where there is none
    measured          what was measured and on what: {"voc07_map": 0.62, "images": 600, ...}

    raises  ValueError when a value cannot be meant
    """

    name: str
    architecture: str
    options: Mapping[str, Option] = field(default_factory=dict)
    input_size: tuple[int, int]
    anchors: AnchorLayout
    variances: Variances = VARIANCES
    channel_order: ChannelOrder
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]
    score_activation: ScoreActivation
    classes: tuple[str, ...]
    min_score: float = 0.5
    nms_iou: float = 0.45  # SSD paper, inference
    max_detections: int = 200  # SSD paper, inference
    licence: str = "unknown"
    origin: str = "unknown"
    weights_sha256: str = ""
    int8_sha256: str = ""
    measured: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not is_model_name(self.name):
            raise ValueError(f"a model may not be called '{self.name}' (letters, digits, '.', '_' and '-')")
        if min(self.input_size) < 1:
            raise ValueError(f"input_size must be above 0, not {self.input_size}")
        if tuple(self.anchors.image_size) != tuple(self.input_size):
            raise ValueError(f"the anchors are for {self.anchors.image_size}, not {self.input_size}")
        if min(self.variances) <= 0:
            raise ValueError(f"variances must be above 0, not {self.variances}")
        if self.channel_order not in get_args(ChannelOrder):
            raise ValueError(f"channel_order must be RGB or BGR, not '{self.channel_order}'")
        if 0 in self.scale:
            raise ValueError(f"scale must not be 0, as in {self.scale}")
        if self.score_activation not in get_args(ScoreActivation):
            raise ValueError(f"score_activation must be softmax or sigmoid, not '{self.score_activation}'")
        if not self.classes or len(set(self.classes)) < len(self.classes) or "" in self.classes:
            raise ValueError("classes must be names, each once, at least one")
        for limit in ("min_score", "nms_iou"):
            if not 0 <= getattr(self, limit) <= 1:
                raise ValueError(f"{limit} must lie in 0..1, not {getattr(self, limit)}")
        if self.max_detections < 1:
            raise ValueError(f"max_detections must be at least 1, not {self.max_detections}")

    def to_json(self) -> dict[str, Any]:
        """The card as JSON holds it; `from_json` reads it back equal."""
        card = {each.name: getattr(self, each.name) for each in fields(self)}
        listed = {name: list(value) for name, value in card.items() if isinstance(value, tuple)}
        mapped = {name: dict(value) for name, value in card.items() if isinstance(value, Mapping)}
        return card | listed | mapped | {"anchors": self.anchors.to_json()}

    @staticmethod
    def from_json(card: object) -> "ModelCard":
        """Reads what `to_json` wrote; every field must be there.

        raises  ModelError that names the field that is missing, unknown or wrong
        """
        if not isinstance(card, dict):
            raise ModelError("a model card is a JSON object; this is something else.")
        card = {"int8_sha256": "", **card}  # the first cards did not say it
        known = [each.name for each in fields(ModelCard)]
        if missing := [name for name in known if name not in card]:
            raise ModelError(f"the model card lacks {', '.join(missing)}; import or train the model again.")
        if unknown := [str(name) for name in card if name not in known]:
            raise ModelError(
                f"the model card says {', '.join(unknown)}, which this SSD Studio does not know; "
                "it may have been written by a newer one."
            )
        try:
            return ModelCard(
                name=_text(card, "name"),
                architecture=_text(card, "architecture"),
                options=_options(card),
                input_size=_input_size(card),
                anchors=_anchors(card),
                variances=_numbers(card, "variances", 4),
                channel_order=_of_type(card, "channel_order", str, "text"),
                mean=_numbers(card, "mean", 3),
                scale=_numbers(card, "scale", 3),
                score_activation=_of_type(card, "score_activation", str, "text"),
                classes=_texts(card, "classes"),
                min_score=_number(card, "min_score"),
                nms_iou=_number(card, "nms_iou"),
                max_detections=_whole(card, "max_detections"),
                licence=_text(card, "licence"),
                origin=_text(card, "origin"),
                weights_sha256=_text(card, "weights_sha256"),
                int8_sha256=_text(card, "int8_sha256"),
                measured=_mapping(card, "measured"),
            )
        except ValueError as error:
            raise ModelError(f"the model card is wrong: {error}. Import the model again.") from error


# Reading JSON: each either gives the type named or a ValueError that names the field.


def _of_type(card: Mapping[str, Any], name: str, kind: type | tuple[type, ...], words: str) -> Any:
    value = card[name]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name} must be {words}, not {value!r}")
    return value


def _text(card: Mapping[str, Any], name: str) -> str:
    return str(_of_type(card, name, str, "text"))


def _number(card: Mapping[str, Any], name: str) -> float:
    return float(_of_type(card, name, (int, float), "a number"))


def _whole(card: Mapping[str, Any], name: str) -> int:
    return int(_of_type(card, name, int, "a whole number"))


def _mapping(card: Mapping[str, Any], name: str) -> dict[str, Any]:
    return dict(_of_type(card, name, dict, "a JSON object"))


def _list(card: Mapping[str, Any], name: str, kind: type | tuple[type, ...], words: str) -> tuple[Any, ...]:
    values = _of_type(card, name, list, f"a list of {words}")
    if any(not isinstance(value, kind) or isinstance(value, bool) for value in values):
        raise ValueError(f"{name} must be a list of {words}, not {values!r}")
    return tuple(values)


def _texts(card: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return _list(card, name, str, "texts")


def _numbers(card: Mapping[str, Any], name: str, count: int) -> Any:
    values = _list(card, name, (int, float), "numbers")
    if len(values) != count:
        raise ValueError(f"{name} must be {count} numbers, not {len(values)}")
    return tuple(float(value) for value in values)


def _input_size(card: Mapping[str, Any]) -> tuple[int, int]:
    size = _list(card, "input_size", int, "whole numbers")
    if len(size) != 2:
        raise ValueError(f"input_size must be height and width, not {list(size)}")
    return size[0], size[1]


def _options(card: Mapping[str, Any]) -> dict[str, Option]:
    options = _mapping(card, "options")
    for name, value in options.items():
        if not isinstance(value, (bool, int, float, str)):
            raise ValueError(f"options must be numbers, texts, true or false; {name} is {value!r}")
    return options


def _anchors(card: Mapping[str, Any]) -> AnchorLayout:
    return AnchorLayout.from_json(_mapping(card, "anchors"))
