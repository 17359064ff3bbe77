"""The objects of a file, of which every frame is looked at, in order."""

from app.tracking.carrying import Carrying
from app.tracking.identities import wait_for_library
from detector.values import Detections, Frame


class Following:
    """Gives each frame's boxes their track ids. For one thread."""

    def __init__(self) -> None:
        self._carrying = Carrying()
        self._before: Frame | None = None
        self._number = 0

    def of(self, frame: Frame, found: Detections, *, min_score: float) -> Detections:
        """What was found on the next frame, with track ids. The first call waits for the library to load."""
        if self._before is None:
            wait_for_library()
        before, self._before = self._before, frame
        follows = before is not None and before.pixels.shape == frame.pixels.shape and frame.pts > before.pts
        self._number += 1
        self._carrying.saw(frame, self._number, follows=follows)
        return self._carrying.found(found, self._number, frame.pts, min_score=min_score)
