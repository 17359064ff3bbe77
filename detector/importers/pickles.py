"""Pickles of old ports: what they are, found out without opening them, since that would run what they say."""

import pickletools
from pathlib import Path

from detector.errors import ImportFileError

_MOST_BYTES = 4_000_000  # of a file that is looked at
_MOST_STEPS = 200_000
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp")
_ANCHOR_COUNTS = {7308: "rykov8's SSD300", 8732: "SSD300", 24564: "SSD512"}


def refusal(path: Path) -> ImportFileError:
    """Why a pickle is not imported, and how to go on without it."""
    texts, numbers = _glance(path)
    pictures = [text for text in texts if text.lower().endswith(_PICTURES)]
    anchors = next((number for number in numbers if number in _ANCHOR_COUNTS), None)
    if pictures:
        what = (
            f"is a pickle of labelled pictures ({Path(pictures[0]).name} …), as old Keras ports train from, "
            "and holds no weights; train from the labels it was made from: train --data FOLDER"
        )
    elif anchors is not None and any("numpy" in text for text in texts):
        what = (
            f"is a pickle of {anchors} prior boxes, the anchors of {_ANCHOR_COUNTS[anchors]}, and holds no "
            "weights; anchors are computed here: import the file of weights without it"
        )
    else:
        what = (
            "is a Python pickle, which is not opened because that would run whatever it says; save its "
            "weights as .h5, or in PyTorch with torch.save(model.state_dict(), FILE)"
        )
    return ImportFileError(f"{path.name} {what}.")


def _glance(path: Path) -> tuple[list[str], list[int]]:
    """The texts and whole numbers at its beginning, by reading its steps, not taking them."""
    texts: list[str] = []
    numbers: list[int] = []
    with path.open("rb") as file:
        start = file.read(_MOST_BYTES)
    try:
        for count, (_, value, _) in enumerate(pickletools.genops(start)):
            if isinstance(value, str):
                texts.append(value)
            elif isinstance(value, int):
                numbers.append(value)
            if count > _MOST_STEPS:
                break
    except (ValueError, IndexError, KeyError, UnicodeDecodeError):
        pass  # cut off, damaged or no pickle after all: what was seen so far is enough for words
    return texts, numbers
