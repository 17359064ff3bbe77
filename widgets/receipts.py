"""What is said about files that were saved, and the way to them."""

from pathlib import Path
from typing import NamedTuple

from PyQt5.QtCore import QUrl
from PyQt5.QtGui import QDesktopServices

from widgets.banner import Banner
from widgets.seek_bar import clock


class Receipt(NamedTuple):
    """Files of one source that are on the disk.

    done     what was done, as a sentence begins: "Recorded"
    seconds  how long they play together; 0 for pictures
    """

    done: str
    files: tuple[Path, ...]
    seconds: float = 0.0


class Receipts:
    """Several that come while the first can still be read are told in one sentence."""

    def __init__(self, banner: Banner) -> None:
        self._banner = banner
        self._told: list[Receipt] = []
        self._sentence = ""

    def say(self, receipt: Receipt) -> None:
        stands = self._banner.isVisible() and self._banner.words == self._sentence
        if not (stands and self._told and self._told[0].done == receipt.done):
            self._told.clear()
        self._told.append(receipt)
        place = receipt.files[-1].parent
        self._sentence = f"{_words(self._told)} in {place}"
        folder = QUrl.fromLocalFile(str(place))
        self._banner.say(
            self._sentence, button="Open folder", action=lambda: QDesktopServices.openUrl(folder)
        )


def _words(receipts: list[Receipt]) -> str:
    files = [file.name for receipt in receipts for file in receipt.files]
    names = ", ".join(files) if len(files) <= 3 else f"{len(files)} files, the last {files[-1]}"
    lasting = f", {clock(receipts[0].seconds)} long" if len(receipts) == 1 and receipts[0].seconds else ""
    return f"{receipts[0].done} {names}{lasting}"
