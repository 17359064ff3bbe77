"""A reader in the decoding child: a file instead of a camera, at the file's own pace."""

import time

import cv2

from app.sources.child import Output
from app.sources.readers.camera import watch


class Paced(cv2.VideoCapture):
    def read(self, *arguments):
        time.sleep(1 / self.get(cv2.CAP_PROP_FPS))
        return super().read(*arguments)


def read(out: Output, *, address: str, name: str) -> str:
    return watch(out, Paced(address), name)
