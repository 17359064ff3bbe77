"""Cameras at this computer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.sources.reconnecting import Reconnecting


class Camera(Reconnecting):
    """A camera by its number or its device file; it may be unplugged and come back."""

    reader = "app.sources.readers.camera"

    def __init__(self, address: str, *, reader: str | None = None) -> None:
        super().__init__(f"camera {address}" if address.isdecimal() else Path(address).name, reader=reader)
        self._address = address

    def _arguments(self) -> Mapping[str, Any]:
        return {"address": self._address, "name": self.name}
