"""How a training is done: everything that is chosen, with defaults for a few hundred pictures on a laptop."""

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from detector.errors import OptionError
from trainer.augmentation import CHAINS
from trainer.example_source import Difficult
from trainer.precision import Precision
from trainer.schedule import Schedule, Shape

Loss: TypeAlias = Literal["auto", "multibox", "focal"]
OptimiserName: TypeAlias = Literal["sgd", "adamw"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "augmentation": tuple(CHAINS),
    "difficult": get_args(Difficult),
    "loss": get_args(Loss),
    "optimiser": get_args(OptimiserName),
    "schedule": get_args(Shape),
    "precision": get_args(Precision),
}

_SHARES = (
    *("mosaic", "mixup", "plain_end", "label_smoothing", "focal_alpha", "averaging", "backbone_rests"),
    "statistics_momentum",
)
_NOT_BELOW_0 = (
    *("patience", "seed", "negatives_per_positive", "negatives_without_objects", "teacher_weight"),
    *("backbone_rate", "warm_up_steps", "weight_decay", "clip_norm"),
)
_LARGEST_SEED = 2**32 - 1  # of Keras

# What the values with several parts are made of, and how people write them.
_PARTS: dict[str, tuple[type, str]] = {
    "drops": (float, "numbers in brackets, as [0.6, 0.8]"),
    "frozen": (str, 'names in brackets, as ["Conv2d_0*"]'),
}

RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One training. Rates and decays are those of the paper unless the comment says otherwise."""

    # How long
    epochs: float = 60.0  # rounds through the pictures; `--minutes` takes its place
    evaluations: int = 12  # on the validation pictures, evenly over the training
    patience: int = 0  # evaluations without a better one before it stops; 0: never

    # Data
    batch: int = 16
    augmentation: str = "original"
    zoom_out: float = 4.0  # as the original; less for networks that do not see small things
    zoom_in: float = 0.3  # sides of the smallest part that is cut out; 1: none, as objects of one size want
    difficult: Difficult = "train"
    mosaic: float = 0.0  # share of the samples that are joined from four pictures
    mixup: float = 0.0  # share of the samples that are two pictures, one shining through the other
    plain_end: float = 0.15  # of the training, at its end, nothing is joined: pictures as they will be
    seed: int = 0

    # Loss
    loss: Loss = "auto"  # multibox for softmax heads, focal for sigmoid heads
    negatives_per_positive: float = 3.0
    negatives_without_objects: int = 3
    label_smoothing: float = 0.0
    focal_alpha: float = 0.25  # what a yes weighs, a no the rest; more makes for higher scores
    teacher: str = ""  # a model whose answers are learnt beside the labels
    teacher_weight: float = 1.0

    # Steps
    optimiser: OptimiserName = "sgd"
    rate: float = 0.01  # the paper's 0.001 is for VGG, which has no batch normalisation
    backbone_rate: float = 1.0  # times `rate`, for layers that came with weights
    backbone_rests: float = 0.0  # share of the training in which those layers do not learn
    schedule: Shape = "cosine"
    drops: tuple[float, ...] = (2 / 3, 5 / 6)
    warm_up_steps: int = 100
    weight_decay: float = 5e-4
    clip_norm: float = 10.0
    averaging: float = 0.998  # moving average of the weights, which is what is evaluated and kept; 0: none

    # Network
    frozen: tuple[str, ...] = ()  # layers that do not learn; names, * for any letters
    freeze_statistics: bool = False  # of batch normalisation: for batches below 8
    statistics_momentum: float = 0.97  # the Object Detection API's 0.9997 needs 10,000 steps to arrive
    precision: Precision = "auto"  # bfloat16 where there are units for it

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{each.name} must be a number with an end")
        for name in ("epochs", "batch", "rate", "evaluations"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0")
        for name in _NOT_BELOW_0:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more")
        if self.seed > _LARGEST_SEED:
            raise ValueError(f"seed must be at most {_LARGEST_SEED}")
        if not all(0 <= point <= 1 for point in self.drops):
            raise ValueError("drops must lie in 0..1")
        if self.zoom_out < 1:
            raise ValueError("zoom_out must be 1 or more")
        if not 0 < self.zoom_in <= 1:
            raise ValueError("zoom_in must be above 0 and at most 1")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in 0..1")
        if self.mosaic + self.mixup > 1:
            raise ValueError("mosaic and mixup together must not be more than 1")
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}")

    @property
    def rates(self) -> Schedule:
        return Schedule(warm_up_steps=self.warm_up_steps, shape=self.schedule, drops=self.drops)

    def to_json(self) -> dict[str, Any]:
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    def with_values(self, values: Mapping[str, Any]) -> "Recipe":
        """The same with some values changed, as a file or a command line gives them.

        raises  OptionError that names the value that is unknown or cannot be meant
        """
        kinds = {each.name: type(getattr(self, each.name)) for each in fields(self)}
        chosen: dict[str, Any] = {}
        for name, value in values.items():
            if name not in kinds:
                near = difflib.get_close_matches(name, kinds, n=1)
                raise OptionError(
                    f"A recipe has no '{name}'" + (f"; did you mean '{near[0]}'?" if near else ".")
                )
            chosen[name] = _of_kind(name, value, kinds[name])
        try:
            return replace(self, **chosen)
        except ValueError as error:
            raise OptionError(f"The recipe cannot be followed: {error}.") from error


def read_recipe(name: str) -> Recipe:
    """A recipe that ships, by name, or a TOML file.

    raises  OptionError when there is none, or it says something unknown
    """
    shipped = {path.stem: path for path in sorted(RECIPES.glob("*.toml"))}
    path = shipped.get(name, Path(name))
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise OptionError(
            f"There is no recipe '{name}'; there are {', '.join(shipped)}, or name a file."
        ) from None
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise OptionError(f"The recipe {path} cannot be read: {error}.") from error
    return Recipe().with_values(values)


def _of_kind(name: str, value: Any, kind: type) -> Any:
    if kind is tuple:
        return _parts(name, value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is not type(value):
        raise OptionError(f"In the recipe, {name} must be of kind {kind.__name__}, not {value!r}.")
    return value


def _parts(name: str, value: Any) -> tuple[Any, ...]:
    kind, example = _PARTS[name]
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not all(_is_of(part, kind) for part in values):
        raise OptionError(f"In the recipe, {name} must be {example}, not {value!r}.")
    return tuple(kind(part) for part in values)


def _is_of(value: Any, kind: type) -> bool:
    """A whole number stands for a fraction, `true` for neither."""
    return isinstance(value, kind) or (kind is float and type(value) is int)
