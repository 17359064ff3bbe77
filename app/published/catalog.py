"""The list of published weights (weights/catalog.json): what is said of them, and where they lie.

What nobody has published (a checksum, a licence, a size) is null there, never guessed.
"""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from detector.errors import ModelError
from detector.model_card import ModelCard, is_model_name
from detector.places import assets_folder, weights_catalog

__all__ = ["Published", "PublishedFile", "find_published", "read_catalog"]

_SUM_LENGTHS = range(8, 65)  # hex digits; torchvision publishes the first eight of them


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFile:
    """One file to fetch.

    name       what it is called, here too
    addresses  where it lies; the second is asked when the first has nothing
    sha256     hex digits as published, perhaps only the first few; None: nobody has published them
    size       bytes, exactly; None: not known
    megabytes  as its authors round it, where the size is not known
    """

    name: str
    addresses: tuple[str, ...]
    sha256: str | None = None
    size: int | None = None
    megabytes: float | None = None

    def __post_init__(self) -> None:
        if Path(self.name).name != self.name:
            raise ValueError(f"'{self.name}' is no plain file name")
        if self.sha256 is not None and (
            len(self.sha256) not in _SUM_LENGTHS or set(self.sha256) - set("0123456789abcdef")
        ):
            raise ValueError(f"'{self.sha256}' is no sha256, nor the first 8 or more digits of one")
        for address in self.addresses:
            if urlsplit(address).scheme not in ("http", "https"):
                raise ValueError(f"'{address}' is no http or https address")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Weights that can be had.

    classes        a list of assets/labels; None: the file says them
    anchors        a name of `detector.anchors.LAYOUTS`; None: the file says them
    files          what to fetch, the weights first
    by_hand        the page a person opens in a browser instead; such weights have one file without address
    published_map  figures as their authors state them: {"voc07_map": 0.772}
    preprocessing  as the origin does it: {"channel_order": "BGR", "mean": [...], "scale": [...]}
    thresholds     fields of the card that follow the origin: {"nms_iou": 0.45, "max_detections": 200}
    """

    name: str
    architecture: str
    classes: str | None
    anchors: str | None
    origin: str
    licence: str | None
    files: tuple[PublishedFile, ...]
    by_hand: str | None = None
    published_map: Mapping[str, float] = field(default_factory=dict)
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    thresholds: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not is_model_name(self.name):
            raise ValueError(f"a model may not be called '{self.name}'")
        if not self.files or any(not (each.addresses or self.by_hand) for each in self.files):
            raise ValueError("there is no address")

    @property
    def is_checked(self) -> bool:
        """Whether somebody has published what the files' checksums must be."""
        return all(each.sha256 for each in self.files)

    @property
    def needs(self) -> str:
        """What fetching takes beside the name."""
        if self.by_hand:
            return "a browser"
        return "nothing" if self.is_checked else "--unverified"

    @property
    def megabytes(self) -> float | None:
        """To fetch, where all are known."""
        sizes = [each.megabytes if each.size is None else each.size / 1e6 for each in self.files]
        return sum(size for size in sizes if size is not None) if None not in sizes else None

    @property
    def classes_file(self) -> Path | None:
        return assets_folder() / "labels" / f"{self.classes}.txt" if self.classes else None

    def import_command(self, file: str) -> str:
        """What a person types who has the file already."""
        said = [f"--architecture {self.architecture}"]
        said += [f"--anchors {self.anchors}"] if self.anchors else []
        said += [f"--classes {self.classes_file}"] if self.classes else []
        return f"python main.py models import {file} --as {self.name} {' '.join(said)}"

    def complete(self, card: ModelCard) -> ModelCard:
        """The card of the imported file, with what only the catalog knows.

        raises  ModelError when the file prepares its pictures otherwise than its origin
        """
        for name, value in self.preprocessing.items():
            found = getattr(card, name)
            # as published: MobileNet-SSD's 0.007843 is 1 / 127.5
            same = np.allclose(found, value, rtol=1e-3) if isinstance(value, list) else found == value
            if not same:
                raise ModelError(
                    f"The file of '{self.name}' was read as {name} {found}, but its origin has {value}: "
                    "this is a defect of the importer or of the catalog."
                )
        return replace(card, licence=self.licence or "unknown", origin=self.origin, **self.thresholds)


def read_catalog(path: Path | None = None) -> tuple[Published, ...]:
    """All that can be had, by name.

    path    default: the one list in use (`detector.places.weights_catalog`)
    raises  ModelError in words when it cannot be read, or an entry of it is wrong
    """
    path = path or weights_catalog()
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"The list of weights {path} cannot be read: {error}.") from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ModelError(f"The list of weights {path} must be a JSON list of objects.")
    published = {}
    for entry in entries:
        try:
            each = _published(entry)
        except (ValueError, TypeError, KeyError) as error:
            name = entry.get("name", "without a name")
            raise ModelError(f"{path}: the entry '{name}' is wrong: {error}.") from error
        if each.name in published:
            raise ModelError(f"{path} has two entries called '{each.name}'.")
        published[each.name] = each
    return tuple(published[name] for name in sorted(published))


def find_published(name: str) -> Published:
    """The entry of this name.

    raises  ModelError with the nearest name when there is none
    """
    entries = {each.name: each for each in read_catalog()}
    if name in entries:
        return entries[name]
    near = difflib.get_close_matches(name, entries, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "'python main.py models list' shows what can be had."
    raise ModelError(f"Nobody has published weights called '{name}'; {hint}")


def _published(entry: dict[str, Any]) -> Published:
    files = tuple(
        PublishedFile(**{**each, "addresses": tuple(each.get("addresses", ()))}) for each in entry["files"]
    )
    return Published(**{**entry, "files": files})
