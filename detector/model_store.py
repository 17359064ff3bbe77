"""Models on disk: a card that says everything needed to run (JSON) and the weights (HDF5).

A model `street` is `street.json` and `street.h5` in one folder: the one that ships with the program, or the
person's own. Needs neither Keras nor TensorFlow; `detector.networks.catalog` builds what a card describes.
"""

import difflib
import glob
import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from detector.errors import ModelError
from detector.model_card import ModelCard, is_model_name
from detector.places import builtin_model_folder, user_model_folder
from detector.values import LabelMap

__all__ = [
    "Model",
    "ModelCard",
    "check_new_name",
    "find_model",
    "list_models",
    "read_model",
    "read_weights",
    "save_model",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Model:
    """A model that lies in a folder."""

    card: ModelCard
    folder: Path

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def labels(self) -> LabelMap:
        return LabelMap(self.card.classes)

    @property
    def ships(self) -> bool:
        """Whether it came with the program."""
        return self.folder == builtin_model_folder()

    @property
    def card_path(self) -> Path:
        return self.folder / f"{self.name}.json"

    @property
    def weights_path(self) -> Path:
        return self.folder / f"{self.name}.h5"

    @property
    def int8_path(self) -> Path:
        """The 8-bit version, where the card speaks of one; see `detector.engines.int8_graph`."""
        return self.folder / f"{self.name}.int8.graph"


def read_model(card_path: Path) -> Model:
    """The model whose card this is; its weights are not read yet.

    raises  ModelError when the card is missing, unreadable, wrong, or not named like its file
    """
    try:
        fields = json.loads(card_path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"There is no model card {card_path}.") from None
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The model card {card_path} cannot be read: {_reason(error)}. Import it again."
        ) from error
    try:
        card = ModelCard.from_json(fields)
    except ModelError as error:
        raise ModelError(f"{card_path.name}: {error}") from error
    if card.name != card_path.stem:
        raise ModelError(
            f"The model card {card_path} says its name is '{card.name}'; call file and model the same."
        )
    return Model(card, card_path.parent)


def find_model(name: str) -> Model:
    """The model of this name in the person's folder or among those that ship; or the one whose card is named.

    name    as `list_models` gives it, or the path of a card (`runs/3/best.json`)
    raises  ModelError with the nearest name when there is none; when two folders hold one of that name
    """
    if name.endswith(".json"):
        return read_model(Path(name))
    found = [path for path in _card_paths() if path.stem == name]
    if len(found) > 1:
        places = " and ".join(str(path) for path in found)
        raise ModelError(f"Two models are called '{name}': {places}. Rename or remove one of them.")
    if found:
        return read_model(found[0])
    names = [path.stem for path in _card_paths()]
    if not names:
        raise ModelError(
            f"There is no model '{name}', nor any other: "
            "import one with 'python main.py models import FILE --as NAME'."
        )
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(names)}."
    raise ModelError(f"There is no model '{name}'; {hint}")


def default_model() -> Model:
    """The model used where none is named: the one that ships, else the only one there is.

    raises  ModelError when there is none, or when there are several to choose from
    """
    models = list_models()
    shipped = [model for model in models if model.ships]
    choice = shipped or models
    if len(choice) == 1:
        return choice[0]
    if not choice:
        raise ModelError("There is no model yet: 'python main.py models import FILE --as NAME' brings one.")
    raise ModelError(f"Which model? Name it with --model: {', '.join(model.name for model in choice)}.")


def list_models(tell: Callable[[str], None] = logger.warning) -> list[Model]:
    """All models at hand by name; a card that cannot be read is left out, and `tell` given a sentence."""
    models = []
    for path in _card_paths():
        try:
            models.append(read_model(path))
        except ModelError as error:
            tell(str(error))
    return sorted(models, key=lambda model: model.name)


def check_new_name(name: str, *, folder: Path | None = None, force: bool = False) -> None:
    """Whether a model may be saved under this name; to be asked before the work is done.

    folder  default: the person's model folder
    raises  ModelError when it is no name, is taken (`force` replaces), or belongs to a model that ships
    """
    if not is_model_name(name):
        raise ModelError(f"A model cannot be called '{name}': use letters, digits, '.', '_' and '-'.")
    folder = user_model_folder() if folder is None else folder
    shipped = builtin_model_folder()
    if folder != shipped and (shipped / f"{name}.json").exists():
        raise ModelError(f"'{name}' is the name of a model that ships; choose another.")
    if (folder / f"{name}.json").exists() and not force:
        raise ModelError(f"There is a model '{name}' in {folder} already; --force replaces it.")


def weights_called(name: str) -> str:
    """The sha256 of the weights of the person's model of this name; empty where there is none to be read."""
    try:
        return read_model(user_model_folder() / f"{name}.json").card.weights_sha256
    except ModelError:
        return ""


def save_model(
    card: ModelCard,
    weights: Mapping[str, NDArray[Any]],
    *,
    folder: Path | None = None,
    force: bool = False,
) -> Model:
    """Writes card and weights, whole or not at all.

    weights  "<layer>/<variable>" -> array, written in the dtype it has
    folder   default: the person's model folder; made when missing
    returns  the model; its card holds the sha256 of what was written
    raises   ModelError when the name is taken (`force` replaces) or the disk refuses
    """
    folder = user_model_folder() if folder is None else folder
    check_new_name(card.name, folder=folder, force=force)
    model = Model(card, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _Part(model.weights_path) as weights_part, _Part(model.card_path) as card_part:
            _write_weights(weights_part.path, weights)
            card = replace(_without_int8(card), weights_sha256=_sha256(weights_part.path))
            card_part.path.write_text(_card_text(card), encoding="utf-8")
            # A card appears only beside weights that are whole: if the power fails here, there is no model.
            model.card_path.unlink(missing_ok=True)
            model.int8_path.unlink(missing_ok=True)
            weights_part.publish()
            card_part.publish()
    except OSError as error:
        raise ModelError(
            f"The model '{card.name}' cannot be written to {folder}: {_reason(error)}."
        ) from error
    return Model(card, folder)


def rewrite_card(model: Model, card: ModelCard) -> Model:
    """Another card for a model whose weights stay.

    raises  ModelError when the disk refuses
    """
    changed = Model(card, model.folder)
    try:
        with _Part(changed.card_path) as part:
            part.path.write_text(_card_text(card), encoding="utf-8")
            part.publish()
    except OSError as error:
        raise ModelError(f"The card {model.card_path} cannot be written: {_reason(error)}.") from error
    return changed


def read_weights(model: Model) -> dict[str, NDArray[np.float32]]:
    """The weights of a model, checked against its card.

    returns  "<layer>/<variable>" -> float32 array, whatever precision is on disk
    raises   ModelError when they are missing, unreadable, or not those the card was written for
    """
    path = model.weights_path
    try:
        if _sha256(path) != model.card.weights_sha256:
            raise ModelError(
                f"The weights {path} are not those the card was written for (sha256 differs); "
                "import the model again."
            )
        with h5py.File(path, "r") as file:
            weights: dict[str, NDArray[np.float32]] = {}

            def collect(name: str, item: object) -> None:
                if isinstance(item, h5py.Dataset):
                    weights[name] = np.asarray(item, np.float32)

            file.visititems(collect)
            return weights
    except FileNotFoundError:
        raise ModelError(f"The weights {path} of model '{model.name}' are missing.") from None
    except OSError as error:
        raise ModelError(
            f"The weights {path} cannot be read: {_reason(error)}. Import the model again."
        ) from error


def _card_paths() -> list[Path]:
    """The cards of the person's models, then of those that ship."""
    folders = dict.fromkeys((user_model_folder(), builtin_model_folder()))
    paths = [path for folder in folders for path in sorted(folder.glob("*.json"))]
    return [path for path in paths if is_model_name(path.stem)]


class _Part:
    """A file written under another name beside its place; it takes its place when whole, or vanishes."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.path = place.with_name(f".{place.name}.{os.getpid()}.part")

    def __enter__(self) -> "_Part":
        for left in self._place.parent.glob(f".{glob.escape(self._place.name)}.*.part"):
            left.unlink(missing_ok=True)  # by a process that was killed while it wrote
        return self

    def __exit__(self, *exception: object) -> None:
        self.path.unlink(missing_ok=True)

    def publish(self) -> None:
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())
        self.path.replace(self._place)


def _card_text(card: ModelCard) -> str:
    return json.dumps(card.to_json(), indent=2, ensure_ascii=False) + "\n"


def _without_int8(card: ModelCard) -> ModelCard:
    """What was made of other weights, and measured with it, is not this model's."""
    measured = {name: value for name, value in card.measured.items() if name != "int8"}
    return replace(card, int8_sha256="", measured=measured)


def _write_weights(path: Path, weights: Mapping[str, NDArray[Any]]) -> None:
    with h5py.File(path, "w") as file:
        for name, array in weights.items():
            file.create_dataset(name, data=array)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _reason(error: OSError | ValueError) -> str:
    """In the system's words where it is the system's: HDF5 makes a paragraph of them."""
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else str(error)
